/** The keys of the list, apart from any component: what a key press means there. */

export interface KeyPress {
  readonly key: string;
  readonly ctrlKey: boolean;
  readonly metaKey: boolean;
  readonly shiftKey: boolean;
  readonly altKey: boolean;
}

export type BoardMove =
  | { readonly type: "by"; readonly rows: number; readonly extend: boolean }
  | { readonly type: "first" | "last"; readonly extend: boolean }
  | { readonly type: "mark" | "markAll" | "open" | "back" | "explain" };

/** What the list does for a key; null when the key is not the list's. */
export function boardMove(press: KeyPress, rowsPerPage: number): BoardMove | null {
  const extend = press.shiftKey;
  if (press.altKey) return null;
  if (press.ctrlKey || press.metaKey) {
    return press.key.toLowerCase() === "a" ? { type: "markAll" } : null;
  }
  switch (press.key) {
    case "ArrowDown":
    case "j":
      return { type: "by", rows: 1, extend };
    case "ArrowUp":
    case "k":
      return { type: "by", rows: -1, extend };
    case "PageDown":
      return { type: "by", rows: rowsPerPage, extend };
    case "PageUp":
      return { type: "by", rows: -rowsPerPage, extend };
    case "Home":
      return { type: "first", extend };
    case "End":
      return { type: "last", extend };
    case " ":
      return { type: "mark" };
    case "Enter":
      return { type: "open" };
    case "Escape":
      return { type: "back" };
    case "?":
      return { type: "explain" };
    default:
      return null;
  }
}
