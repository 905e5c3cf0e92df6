/** The keys that work wherever the focus is, unless somebody writes. */
import { DECLINE_REASONS } from "$lib/agent/agentController.svelte";
import type { Desk } from "$lib/desk/desk.svelte";
import { runKeyDown } from "$lib/run/runKeys";
import { actionOfLetter } from "$lib/sheet/actions";

/** Rows of the list take these when nothing else has the focus. */
const LIST_KEYS = ["ArrowDown", "ArrowUp", "PageDown", "PageUp", "Home", "End", "j", "k"];

export function windowKey(event: KeyboardEvent, desk: Desk): void {
  const isModified = event.ctrlKey || event.metaKey || event.altKey;
  if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k") {
    event.preventDefault();
    if (desk.shell.isPaletteOpen) desk.shell.closePalette();
    else desk.shell.openPalette();
    return;
  }
  // The lever is in reach also while somebody writes or a sheet is open.
  if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "l") {
    event.preventDefault();
    desk.lever.toggle();
    return;
  }
  if (event.defaultPrevented || isModified || desk.shell.isPaletteOpen) return;
  if (isWriting(event.target) || isInSheet(event.target)) return;
  const digit = Number.parseInt(event.key, 10);
  const view = Number.isNaN(digit) ? undefined : desk.views[digit - 1];
  if (view !== undefined) {
    desk.shell.go(view);
    event.preventDefault();
  } else if (event.key.toUpperCase() === "V" && desk.runs.waiting.length > 0) {
    desk.showWaiting();
    event.preventDefault();
  } else if (desk.view === "runs") {
    runsKey(event, desk);
  } else if (desk.view === "now") {
    boardKey(event, desk);
  } else if (desk.view === "agent") {
    agentKey(event, desk);
  }
}

function boardKey(event: KeyboardEvent, desk: Desk): void {
  const action = actionOfLetter(event.key);
  if (action !== undefined && !event.shiftKey) {
    desk.act(action);
    event.preventDefault();
  } else if (event.key === "Escape") {
    if (desk.sheet.isOpen) desk.closeSheet();
    else if (!desk.board.back()) return;
    event.preventDefault();
  } else if (event.key.toUpperCase() === "C" && desk.causes.cursorId !== null) {
    desk.causes.focus(desk.causes.cursorId);
    event.preventDefault();
  } else if (event.key === "/") {
    document.querySelector<HTMLElement>("[data-focus='filter']")?.focus();
    event.preventDefault();
  } else if (LIST_KEYS.includes(event.key)) {
    sendToList(event);
  }
}

function runsKey(event: KeyboardEvent, desk: Desk): void {
  if (LIST_KEYS.includes(event.key)) sendToList(event);
  else if (runKeyDown(desk, event.key, isControl(event.target))) event.preventDefault();
}

/** The list takes the focus and the key: it begins where nothing else had the focus. */
function sendToList(event: KeyboardEvent): void {
  const list = document.querySelector<HTMLElement>("[data-focus='list']");
  if (list === null || list.contains(document.activeElement)) return;
  const { key, shiftKey } = event;
  list.focus();
  list.dispatchEvent(new KeyboardEvent("keydown", { key, shiftKey, bubbles: true }));
  event.preventDefault();
}

function agentKey(event: KeyboardEvent, desk: Desk): void {
  const { agent } = desk;
  const key = event.key.toUpperCase();
  if (agent.isDeclining) {
    const reason = DECLINE_REASONS.find((one) => one.letter === key);
    if (event.key === "Escape") agent.cancelDecline();
    else if (reason !== undefined) void agent.decline(reason.text);
    else return;
  } else if (event.key === "Enter" && !isControl(event.target) && agent.offer !== null) {
    void agent.accept();
  } else if (key === "X" && agent.offer !== null) {
    agent.startDecline();
  } else if (key === "F") {
    void agent.setState("free");
  } else if (key === "A") {
    void agent.setState("away");
  } else {
    return;
  }
  event.preventDefault();
}

function isWriting(target: EventTarget | null): boolean {
  return (
    target instanceof HTMLInputElement ||
    target instanceof HTMLTextAreaElement ||
    target instanceof HTMLSelectElement
  );
}

function isInSheet(target: EventTarget | null): boolean {
  return target instanceof Element && target.closest("[data-sheet]") !== null;
}

/** Enter on a button is that button's. */
function isControl(target: EventTarget | null): boolean {
  return target instanceof Element && target.closest("button, a") !== null;
}
