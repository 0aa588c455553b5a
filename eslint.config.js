// Lint rules: typescript-eslint's strict set, plus the table of who may import whom between the folders of src (scripts/imports.json).
import tseslint from "typescript-eslint";
import { importTable } from "./scripts/import-rule.mjs";

export default tseslint.config(
  {
    ignores: [
      "dist*",
      "bench-results",
      ".cache",
      "node_modules",
      "training",
      "public",
      "kernels",
      "scripts/*.mjs",
      "eslint.config.js",
    ],
  },
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
      "no-restricted-exports": ["error", { restrictDefaultExports: { direct: true } }],
    },
  },
  {
    files: ["src/**/*.{ts,tsx}"],
    // Tests may reach for whatever they test with.
    ignores: ["**/*.test.{ts,tsx}"],
    plugins: { llava: { rules: { "import-table": importTable } } },
    rules: { "llava/import-table": ["error", `${import.meta.dirname.replaceAll("\\", "/")}/src`] },
  },
  {
    files: ["*.config.ts"],
    rules: { "no-restricted-exports": "off" },
  },
);
