/** The window's entry: which backend, which look, and the desk into the page. */
import "./styles/tokens.css";
import "./styles/base.css";

import { mount } from "svelte";

import type { Backend } from "$lib/backend/backend";
import { tauriBackend } from "$lib/backend/tauri";
import { Desk } from "$lib/desk/desk.svelte";

import App from "./App.svelte";

/** The program behind the window; in a browser, where there is none, a made-up world. */
async function chooseBackend(): Promise<Backend> {
  if (import.meta.env.MODE !== "production" && !("__TAURI_INTERNALS__" in window)) {
    const { fakeFromAddress } = await import("$lib/backend/fake/fromAddress");
    return fakeFromAddress(window.location.search);
  }
  return tauriBackend;
}

function newActId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(12));
  return `act-${Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("")}`;
}

async function start(): Promise<void> {
  const target = document.getElementById("window");
  if (target === null) throw new Error("index.html has no element with the id window");
  const desk = new Desk({
    backend: await chooseBackend(),
    schedule: (run) => requestAnimationFrame(run),
    storage: localStorage,
    newActId,
  });
  mount(App, { target, props: { desk } });
}

void start();
