/** Exhausts a union: a new variant does not compile, an unexpected value at run time is named. */
export function assertNever(value: never): never {
  throw new Error(`no branch for ${JSON.stringify(value)}`);
}
