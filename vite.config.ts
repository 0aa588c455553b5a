// Builds the page into a folder of static files with relative addresses, and serves it for development and preview.
// ONNX Runtime's wasm files are copied, not bundled: one build is fetched, the one the device needs.
import { createReadStream, readFileSync, statSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { defineConfig, type Plugin } from "vite";
import { VitePWA } from "vite-plugin-pwa";
import { hubWorkerPath, runtimeBuilds, runtimePath } from "./src/sw/runtime-cache.ts";
import { securityHeadersFor } from "./src/sw/security-headers.ts";
import { shareFilesField, sharePath } from "./src/sw/shared-cache.ts";

/** Hosts whose pages may show this one inside theirs; see security-headers.ts. */
const frameHosts = process.env["LLAVA_FRAME_ANCESTORS"] ?? "";
const securityHeaders = securityHeadersFor(frameHosts);
const developmentHeaders = securityHeadersFor(frameHosts, true);

const runtimeSource = dirname(createRequire(import.meta.url).resolve("onnxruntime-web/ort-wasm-simd-threaded.wasm"));
const runtimeFiles = Object.values(runtimeBuilds).flatMap((build) => [`${build}.mjs`, `${build}.wasm`]);

/** Puts the runtime's files under their versioned folder, in the build and on the development server. */
function runtimeFilesPlugin(): Plugin {
  return {
    name: "llava-runtime-files",
    configureServer(server) {
      server.middlewares.use((request, response, next) => {
        const path = (request.url ?? "").split("?")[0] ?? "";
        const file = runtimeFiles.find((name) => path.endsWith(`/${runtimePath}${name}`));
        if (file === undefined) return next();
        const source = join(runtimeSource, file);
        response.writeHead(200, {
          "content-type": file.endsWith(".wasm") ? "application/wasm" : "text/javascript",
          "content-length": statSync(source).size,
          ...developmentHeaders,
        });
        createReadStream(source).pipe(response);
      });
    },
    generateBundle() {
      for (const file of runtimeFiles) {
        this.emitFile({
          type: "asset",
          fileName: `${runtimePath}${file}`,
          source: readFileSync(join(runtimeSource, file)),
        });
      }
    },
  };
}

/** Hosts that read a `_headers` file then send what the preview server sends. */
function headersFilePlugin(): Plugin {
  return {
    name: "llava-headers-file",
    generateBundle() {
      const lines = Object.entries(securityHeaders).map(([name, value]) => `  ${name}: ${value}`);
      this.emitFile({ type: "asset", fileName: "_headers", source: `/*\n${lines.join("\n")}\n` });
    },
  };
}

/** Every browser this page runs in reads woff2; KaTeX's older fonts would only fill the build. */
function formulaFontsPlugin(): Plugin {
  return {
    name: "llava-formula-fonts",
    enforce: "pre",
    transform(code, id) {
      if (!id.includes("katex") || !/\.css(?:$|\?)/.test(id)) return undefined;
      return code.replace(/,url\([^)]*\.(?:woff|ttf)\) format\("(?:woff|truetype)"\)/g, "");
    },
  };
}

/** The app's manifest is beside the app, not beside the pages in folders of their own. */
function manifestAddressPlugin(): Plugin {
  return {
    name: "llava-manifest-address",
    // After the plugin that writes the address.
    enforce: "post",
    transformIndexHtml: {
      order: "post",
      handler: (html, { path }) =>
        /^\/\w+\//.test(path) ? html.replace('href="./manifest', 'href="../manifest') : html,
    },
  };
}

export default defineConfig({
  base: "./",
  // The service worker is built apart and adds the headers where a host sets none.
  define: { __FRAME_ANCESTORS__: JSON.stringify(frameHosts) },
  // A missing file must be a 404, not the page.
  appType: "mpa",
  plugins: [
    runtimeFilesPlugin(),
    headersFilePlugin(),
    formulaFontsPlugin(),
    VitePWA({
      strategies: "injectManifest",
      srcDir: "src/sw",
      filename: "service-worker.ts",
      injectRegister: null,
      injectManifest: {
        globPatterns: [
          "**/*.{html,js,css,svg,png,webp,woff2,webmanifest}",
          "examples/*",
          "models/*/{manifest.json,README.md}",
        ],
        // The rest of a package is in IndexedDB; the runtime and the hub's library are kept when they are first used; the bench is not.
        globIgnores: ["ort/**", `${hubWorkerPath}*`, "bench/**", "assets/bench-*"],
        maximumFileSizeToCacheInBytes: 4 * 2 ** 20,
        rollupFormat: "iife",
      },
      manifest: {
        name: "llava-web",
        short_name: "LLaVA",
        description: "Ask about a picture; a LLaVA model answers on your own device.",
        start_url: "./",
        scope: "./",
        display: "standalone",
        background_color: "#faf8f5",
        theme_color: "#faf8f5",
        share_target: {
          action: `./${sharePath}`,
          method: "POST",
          enctype: "multipart/form-data",
          params: {
            title: "title",
            text: "text",
            url: "url",
            files: [{ name: shareFilesField, accept: ["image/*"] }],
          },
        },
        file_handlers: [
          {
            action: "./",
            accept: {
              "image/png": [".png"],
              "image/jpeg": [".jpg", ".jpeg"],
              "image/webp": [".webp"],
              "image/gif": [".gif"],
              "image/avif": [".avif"],
              "image/bmp": [".bmp"],
            },
          },
        ],
        icons: [
          { src: "icon.svg", sizes: "any", type: "image/svg+xml" },
          { src: "icon-192.png", sizes: "192x192", type: "image/png" },
          { src: "icon-512.png", sizes: "512x512", type: "image/png" },
          { src: "icon-maskable-512.png", sizes: "512x512", type: "image/png", purpose: "maskable" },
        ],
      },
    }),
    manifestAddressPlugin(),
  ],
  oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
  resolve: {
    // The reader of tables needs Node's Buffer; this build of it brings its own.
    alias: { "csv-parse/sync": "csv-parse/browser/esm/sync" },
    conditions: ["onnxruntime-web-use-extern-wasm", "module", "browser", "development|production"],
  },
  worker: { format: "es" },
  build: {
    target: "es2024",
    sourcemap: false,
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    rolldownOptions: {
      input: { index: "index.html", bench: "bench/index.html", eval: "eval/index.html", review: "review/index.html" },
    },
  },
  optimizeDeps: { exclude: ["onnxruntime-web"] },
  server: { headers: developmentHeaders, host: "localhost" },
  preview: { headers: securityHeaders, host: "localhost" },
});
