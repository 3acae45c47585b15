import { defineConfig } from "vite";

// The map is one page script; names carry a hash, and the manifest tells the server which is current.
export default defineConfig({
  base: "/static/map/",
  build: {
    outDir: process.env.QIANMO_MAP_OUT ?? "../src/qianmo/web/static/map",
    emptyOutDir: true,
    manifest: "manifest.json",
    license: { fileName: "licenses.md" },
    target: "chrome88",
    chunkSizeWarningLimit: 1500,
    modulePreload: false,
    rollupOptions: { input: "src/main.ts" },
  },
});
