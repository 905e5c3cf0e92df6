import { fileURLToPath } from "node:url";

import { svelte } from "@sveltejs/vite-plugin-svelte";
import { defineConfig } from "vitest/config";

function folder(path: string): string {
  return fileURLToPath(new URL(path, import.meta.url));
}

export default defineConfig(({ mode }) => ({
  plugins: [svelte()],
  // The controllers' runes must be the reactive ones of the browser, in tests too.
  resolve: {
    alias: { $lib: folder("./src/lib"), $components: folder("./src/components") },
    ...(mode === "test" ? { conditions: ["browser"] } : {}),
  },
  clearScreen: false,
  server: { port: 1420, strictPort: true },
  build: {
    // WebKitGTK 2.50, WebView2 and WKWebView of macOS 13 all run this without transpiling.
    target: ["safari16.4", "chrome110"],
    // The content security policy allows no inline script and no data URL.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    rolldownOptions: { checks: { bundlerTimings: false } },
  },
  test: { include: ["src/**/*.test.ts", "tests/**/*.test.ts"], environment: "node" },
}));
