import { createTypeScriptImportResolver } from "eslint-import-resolver-typescript";
import importX from "eslint-plugin-import-x";
import svelte from "eslint-plugin-svelte";
import globals from "globals";
import ts from "typescript-eslint";

import svelteConfig from "./svelte.config.js";

const NO_TAURI = {
  group: ["@tauri-apps/*"],
  message: "Only src/lib/backend/tauri.ts knows Tauri: everything else takes a Backend.",
};
const NO_COMPONENTS = {
  group: ["$components/*"],
  message: "lib knows no component: controllers are used by components, not the other way round.",
};
const NO_FAKE = {
  group: ["$lib/backend/fake/*"],
  message: "The made-up world is for tests and for main.ts in development only.",
};
const NO_DOMAINS = {
  group: [
    "$components/acts/*",
    "$components/agent/*",
    "$components/board/*",
    "$components/detail/*",
    "$components/ledger/*",
    "$components/platform/*",
    "$components/run/*",
    "$components/sheet/*",
    "$components/shell/*",
  ],
  message: "What is shared knows nobody who shares it.",
};
const NO_CLIMB = {
  group: ["../*"],
  message: "No climbing: say $lib/... or $components/..., so that a file can be moved.",
};

function restrict(...patterns) {
  return { "no-restricted-imports": ["error", { patterns }] };
}

export default ts.config(
  { ignores: ["dist/", "dist-fake/", "node_modules/", "src/lib/generated/"] },
  ...ts.configs.strictTypeChecked,
  ...svelte.configs.recommended,
  {
    plugins: { "import-x": importX },
    settings: {
      "import-x/resolver-next": [
        createTypeScriptImportResolver({ extensions: [".ts", ".js", ".svelte", ".svelte.ts"] }),
      ],
      // Components are no part of a cycle with lib, which must not import them.
      "import-x/extensions": [".ts", ".js"],
      "import-x/parsers": { "@typescript-eslint/parser": [".ts"] },
    },
    languageOptions: {
      globals: { ...globals.browser },
      parserOptions: {
        projectService: true,
        extraFileExtensions: [".svelte"],
        tsconfigRootDir: import.meta.dirname,
      },
    },
    linterOptions: { reportUnusedDisableDirectives: "error" },
    rules: {
      "@typescript-eslint/no-explicit-any": "error",
      "@typescript-eslint/switch-exhaustiveness-check": "error",
      "@typescript-eslint/consistent-type-imports": "error",
      "@typescript-eslint/restrict-template-expressions": ["error", { allowNumber: true }],
      "@typescript-eslint/no-confusing-void-expression": ["error", { ignoreArrowShorthand: true }],
      "@typescript-eslint/no-unused-vars": ["error", { ignoreRestSiblings: true }],
      "import-x/no-cycle": "error",
      "import-x/no-duplicates": "error",
      "no-console": "error",
      eqeqeq: "error",
      ...restrict(NO_TAURI, NO_FAKE, NO_CLIMB),
    },
  },
  {
    files: ["**/*.svelte", "**/*.svelte.ts"],
    languageOptions: { parserOptions: { parser: ts.parser, svelteConfig } },
    rules: {
      // A prop's default of undefined is how an optional callback is written with exact types.
      "@typescript-eslint/no-useless-default-assignment": "off",
      "svelte/no-at-html-tags": "error",
      // State is raw and replaced: sets and maps in it are never changed in place.
      "svelte/prefer-svelte-reactivity": "off",
    },
  },
  { files: ["src/lib/**/*.ts"], rules: restrict(NO_TAURI, NO_FAKE, NO_COMPONENTS, NO_CLIMB) },
  {
    files: ["src/components/shared/**"],
    rules: restrict(NO_TAURI, NO_FAKE, NO_DOMAINS, NO_CLIMB),
  },
  { files: ["src/lib/backend/tauri.ts"], rules: restrict(NO_FAKE, NO_COMPONENTS, NO_CLIMB) },
  {
    files: ["src/lib/backend/fake/**", "src/**/*.test.ts", "src/main.ts"],
    rules: restrict(NO_TAURI, NO_CLIMB),
  },
  {
    files: ["*.js", "*.ts", "scripts/**", "tests/**"],
    ...ts.configs.disableTypeChecked,
    languageOptions: { globals: { ...globals.node } },
  },
  {
    files: ["scripts/**"],
    rules: { "no-console": "off" },
  },
);
