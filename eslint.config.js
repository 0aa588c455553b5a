// Lint rules: typescript-eslint's strict set, plus the table of who may import whom between the folders of src.
import tseslint from "typescript-eslint";

/** Per folder: what may be imported, and what may be imported as types only. Everything else in src is out of reach. */
const imports = {
  engine: { values: [], types: [] },
  weights: { values: [], types: [] },
  convert: { values: ["weights/manifest.ts"], types: ["engine"] },
  zoo: { values: [], types: ["engine", "weights"] },
  remote: { values: [], types: ["engine"] },
  hub: {
    values: ["engine/sampler.ts", "engine/text-stream.ts", "engine/decode.web.ts", "weights/manifest.ts"],
    types: ["engine", "worker"],
  },
  worker: { values: ["engine", "weights", "zoo"], types: [] },
  chat: { values: ["worker/client.ts", "remote", "zoo"], types: ["engine", "worker"] },
  ui: { values: ["chat", "worker/client.ts", "zoo"], types: ["engine", "worker", "remote"] },
  eval: { values: ["engine", "weights", "zoo"], types: [] },
  cli: { values: ["engine", "weights", "zoo", "convert", "eval", "hub"], types: ["worker"] },
  sw: { values: ["weights"], types: [] },
};
/** Errors have one class for all rooms that throw them. */
const everywhere = ["engine/errors.ts"];

const toPattern = (target) => (target.includes("/") ? `!#${target}` : `!#${target}/**`);

const rooms = Object.entries(imports).map(([folder, { values, types }]) => ({
  files: [`src/${folder}/**/*.{ts,tsx}`],
  ignores: ["**/*.test.ts", "**/*.test.tsx"],
  rules: {
    "@typescript-eslint/no-restricted-imports": [
      "error",
      {
        patterns: [
          { group: ["../*"], message: "Cross-folder imports are spelled #folder/file.ts." },
          {
            group: ["#*/**", `!#${folder}/**`, ...[...values, ...types, ...everywhere].map(toPattern)],
            message: `src/${folder} may not import this folder (see ARCHITECTURE.md).`,
          },
          ...(types.length === 0
            ? []
            : [
                {
                  group: [...types.map((target) => `#${target}/**`), ...[...values, ...everywhere].map(toPattern)],
                  allowTypeImports: true,
                  message: `src/${folder} may import types only from here.`,
                },
              ]),
        ],
      },
    ],
  },
}));

/** Packages that live in one place each. */
const homes = [
  { package: "onnxruntime-web*", files: ["src/engine/*.web.ts"] },
  { package: "onnxruntime-node", files: ["src/engine/*.node.ts"] },
  { package: "idb-keyval", files: ["src/weights/*.web.ts", "src/chat/*.web.ts"] },
  {
    package: "comlink",
    files: ["src/worker/client.ts", "src/worker/worker.ts", "src/worker/weights-*.ts", "src/hub/hub-worker.ts"],
  },
  { package: "@huggingface/transformers", files: ["src/hub/*.ts"] },
];
const packageHomes = {
  files: ["src/**/*.{ts,tsx}"],
  ignores: ["**/*.test.ts", ...homes.flatMap((home) => home.files)],
  rules: {
    "no-restricted-imports": [
      "error",
      {
        patterns: homes.map((home) => ({
          group: [home.package, `${home.package}/**`],
          message: `Only in ${home.files.join(", ")}.`,
        })),
      },
    ],
  },
};

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
  ...rooms,
  packageHomes,
  {
    files: ["*.config.ts"],
    rules: { "no-restricted-exports": "off" },
  },
);
