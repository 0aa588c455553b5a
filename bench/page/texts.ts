// The bench page's words, in English and Chinese. Knows no page.
import type { Figure, PerToken } from "../measure.ts";
import type { RowId } from "../plan.ts";

export interface BenchTexts {
  readonly title: string;
  readonly lead: string;
  readonly device: string;
  readonly devices: Readonly<Record<"auto" | "webgpu" | "wasm", string>>;
  readonly pairs: string;
  readonly quick: string;
  readonly full: string;
  readonly beside: string;
  readonly run: string;
  readonly loading: string;
  readonly running: (done: number, of: number) => string;
  readonly counting: string;
  readonly done: string;
  readonly failed: (reason: string) => string;
  readonly what: string;
  readonly ours: string;
  readonly ratio: string;
  readonly parted: (what: string, ours: string, peer: string, theirs: string) => string;
  readonly rows: Readonly<Record<Exclude<RowId, "context"> | "load", string>>;
  readonly context: (tokens: number) => string;
  readonly coldLoad: string;
  readonly wasmMemory: string;
  readonly heap: string;
  readonly gpuMemory: string;
  readonly perToken: Readonly<Record<keyof PerToken, string>>;
  readonly figures: Readonly<Record<Figure, string>>;
  readonly ahead: string;
  readonly split: (image: string, vision: string, prefill: string) => string;
  readonly widened: string;
  readonly copy: string;
  readonly copied: string;
  readonly saveJson: string;
  readonly savePicture: string;
  readonly back: string;
  readonly threads: (count: number) => string;
  readonly cores: (count: number) => string;
}

const en: BenchTexts = {
  title: "Benchmark",
  lead: "How fast the built-in model answers on this device. Nothing is sent anywhere; you can save the results as a file or a picture.",
  device: "Device",
  devices: { auto: "Automatic", webgpu: "WebGPU", wasm: "WASM" },
  pairs: "Runs",
  quick: "Quick (3 of each)",
  full: "Full (9 of each)",
  beside: "Compare with transformers.js",
  run: "Run benchmark",
  loading: "Loading…",
  running: (done, of) => `Run ${done} of ${of}…`,
  counting: "Measuring memory, up to a minute…",
  done: "Done.",
  failed: (reason) => `The benchmark stopped: ${reason}`,
  what: "Measurement",
  ours: "llava-web",
  ratio: "Ratio",
  parted: (what, ours, peer, theirs) => `≠ ${what}: “${ours}” / ${peer}: “${theirs}”`,
  rows: {
    first: "First question about a picture",
    next: "Follow-up question about it",
    again: "The same question again",
    describe: "Describing a picture",
    load: "Load, without download",
  },
  context: (tokens) => `Prompt of about ${tokens} tokens`,
  coldLoad: "Load, with download",
  wasmMemory: "Peak WASM memory, MiB",
  heap: "JavaScript heap at the end, MiB",
  gpuMemory: "Peak GPU buffers, MiB",
  perToken: {
    dispatches: "GPU dispatches per token",
    submits: "GPU submits per token",
    uploadedBytes: "Bytes uploaded per token",
    readBytes: "Bytes read back per token",
    newBuffers: "GPU buffers created per token",
    hostMs: "CPU ms per token before the GPU gets its next work",
  },
  figures: { firstTokenMs: "ms to first token", decodeRate: "tokens/s" },
  ahead:
    "Medians, with minimum and maximum in parentheses. Ratios are taken pair by pair; above 1, llava-web is faster. All decode greedily; ≠ marks answers that differ.",
  split: (image, vision, prefill) =>
    `First question in llava-web: image ${image} ms, vision ${vision} ms, prefill ${prefill} ms.`,
  widened: "transformers.js uses 32-bit embeddings here: its WASM runtime can't read the package's own.",
  copy: "Copy as JSON",
  copied: "Copied.",
  saveJson: "Save as JSON",
  savePicture: "Save as a picture",
  back: "Back to llava-web",
  threads: (count) => (count === 1 ? "1 thread" : `${count} threads`),
  cores: (count) => (count === 1 ? "1 core" : `${count} cores`),
};

const zh: BenchTexts = {
  title: "性能测试",
  lead: "内置模型在本机上的回答速度。不会发送任何数据；结果可以保存为文件或图片。",
  device: "设备",
  devices: { auto: "自动", webgpu: "WebGPU", wasm: "WASM" },
  pairs: "次数",
  quick: "快速（各 3 次）",
  full: "完整（各 9 次）",
  beside: "与 transformers.js 对比",
  run: "开始测试",
  loading: "正在加载……",
  running: (done, of) => `第 ${done} 次，共 ${of} 次……`,
  counting: "正在测量内存，最多一分钟……",
  done: "完成。",
  failed: (reason) => `测试中止：${reason}`,
  what: "项目",
  ours: "llava-web",
  ratio: "比值",
  parted: (what, ours, peer, theirs) => `≠ ${what}：“${ours}”／${peer}：“${theirs}”`,
  rows: {
    first: "关于图片的第一个问题",
    next: "关于它的下一个问题",
    again: "再问一次同样的问题",
    describe: "描述一张图片",
    load: "加载（不含下载）",
  },
  context: (tokens) => `约 ${tokens} 词元的提示词`,
  coldLoad: "加载（含下载）",
  wasmMemory: "WASM 内存峰值，MiB",
  heap: "结束时的 JavaScript 堆，MiB",
  gpuMemory: "GPU 缓冲区峰值，MiB",
  perToken: {
    dispatches: "每个词元的 GPU 调度次数",
    submits: "每个词元的 GPU 提交次数",
    uploadedBytes: "每个词元上传的字节",
    readBytes: "每个词元读回的字节",
    newBuffers: "每个词元新建的 GPU 缓冲区",
    hostMs: "GPU 得到下一步工作之前，每个词元占用 CPU 的毫秒数",
  },
  figures: { firstTokenMs: "首字延迟，毫秒", decodeRate: "词元/秒" },
  ahead: "取中位数，括号内为最小值和最大值。比值逐对计算；大于 1 表示 llava-web 更快。均采用贪心解码；≠ 表示回答不同。",
  split: (image, vision, prefill) =>
    `llava-web 第一个问题用时：图片 ${image} 毫秒，视觉编码 ${vision} 毫秒，预填充 ${prefill} 毫秒。`,
  widened: "此处 transformers.js 使用 32 位词嵌入：它的 WASM 运行时无法读取模型包自带的词嵌入。",
  copy: "复制为 JSON",
  copied: "已复制。",
  saveJson: "保存为 JSON",
  savePicture: "保存为图片",
  back: "返回 llava-web",
  threads: (count) => `${count} 个线程`,
  cores: (count) => `${count} 个核心`,
};

/** The first of the wanted languages that the page speaks. */
export function benchTexts(wanted: readonly string[]): { readonly language: "en" | "zh"; readonly texts: BenchTexts } {
  const found = wanted.map((tag) => tag.toLowerCase()).find((tag) => /^(en|zh)\b/.test(tag));
  return found?.startsWith("zh") === true ? { language: "zh", texts: zh } : { language: "en", texts: en };
}
