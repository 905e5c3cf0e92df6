/** The backend of the real window. The only file that knows Tauri. */
import { invoke } from "@tauri-apps/api/core";

import type { Frame, Reply } from "$lib/generated";

import type { Backend } from "./backend";

export const tauriBackend: Backend = {
  frame: (request) => invoke<Frame>("frame", { request }),
  request: (request) => invoke<Reply>("request", { request }),
};
