/** Numbers and counted words for people. */

const grouped = new Intl.NumberFormat("en-US");
const share = new Intl.NumberFormat("en-US", { style: "percent" });

/** `1,248`. */
export function count(n: number): string {
  return grouped.format(n);
}

/** `1 call`, `12 calls`. The plural is the singular with an s unless given. */
export function counted(n: number, one: string, many = `${one}s`): string {
  return `${count(n)} ${n === 1 ? one : many}`;
}

/** `0.4%`, `88%`: a share in thousandths, with a decimal only where it tells something. */
export function permille(thousandths: number): string {
  const hundredths = thousandths / 10;
  return `${hundredths < 10 ? hundredths.toString() : Math.round(hundredths).toString()}%`;
}

/** `85%` for 0.85. */
export function percent(part: number): string {
  return share.format(part);
}
