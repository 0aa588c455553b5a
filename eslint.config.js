// Lint rules: ESLint's recommended set and typescript-eslint's strict one, plus the table of who may import whom (scripts/imports.json).
// TypeScript is linted with types; scripts and the AssemblyScript kernels, which no tsconfig covers, without.
import js from "@eslint/js";
import tseslint from "typescript-eslint";
import { importTable } from "./scripts/import-rule.mjs";
import { longFunction } from "./scripts/long-function-rule.mjs";

const untyped = ["**/*.mjs", "eslint.config.js", "kernels/*.ts"];

const llava = { rules: { "import-table": importTable, "long-function": longFunction } };

export default tseslint.config(
  { ignores: ["dist*", "bench-results", ".cache", "node_modules", "training", "public"] },
  js.configs.recommended,
  ...tseslint.configs.strictTypeChecked,
  {
    languageOptions: {
      parserOptions: {
        project: ["tsconfig.core.json", "tsconfig.web.json", "tsconfig.worker.json", "tsconfig.node.json"],
        tsconfigRootDir: import.meta.dirname,
      },
    },
    rules: {
      "@typescript-eslint/restrict-template-expressions": ["error", { allowNumber: true, allowBoolean: true }],
      "@typescript-eslint/consistent-type-imports": "error",
      "@typescript-eslint/no-confusing-void-expression": "off",
      // A generator may have nothing to yield where its interface asks for one.
      "require-yield": "off",
      "no-restricted-exports": ["error", { restrictDefaultExports: { direct: true } }],
    },
  },
  {
    files: ["{src,bench,e2e}/**/*.{ts,tsx}"],
    // Tests may reach for whatever they test with.
    ignores: ["**/*.test.{ts,tsx}"],
    plugins: { llava },
    rules: { "llava/import-table": ["error", import.meta.dirname.replaceAll("\\", "/")] },
  },
  {
    ignores: ["**/*.{test,spec}.{ts,tsx}", "src/**/*-kernel.ts"],
    plugins: { llava },
    rules: { "llava/long-function": "error" },
  },
  { files: untyped, ...tseslint.configs.disableTypeChecked },
  {
    files: ["**/*.mjs", "eslint.config.js"],
    languageOptions: {
      globals: Object.fromEntries(Object.getOwnPropertyNames(globalThis).map((name) => [name, "readonly"])),
    },
  },
  {
    // They install the packages, so they run before there are any; what needs one imports it when it is asked for.
    files: ["scripts/*.mjs"],
    ignores: ["scripts/build-kernels.mjs"],
    rules: {
      "no-restricted-imports": [
        "error",
        { patterns: [{ regex: "^(?!node:|\\.{1,2}/)", message: "Built-ins of Node only." }] },
      ],
    },
  },
  {
    files: ["kernels/*.ts"],
    rules: {
      "no-restricted-imports": [
        "error",
        {
          patterns: [
            {
              regex: "^(?!\\./|\\.\\./src/engine/kernel/layout/)",
              message: "Kernels share only their layouts with src.",
            },
          ],
        },
      ],
    },
  },
  {
    files: ["*.config.{ts,js}"],
    rules: { "no-restricted-exports": "off" },
  },
);
