// Every benchmark that `llava eval run` asks, laid out as LLaVA's playground/data/eval.
import type { Benchmark } from "./benchmark.ts";
import { parseMmbench } from "./mmbench.ts";
import { parseQBench } from "./q-bench.ts";
import { parseQuestionLines } from "./question-lines.ts";
import { parseScienceQa } from "./science-qa.ts";

const zip = "It comes with eval.zip, which LLaVA's docs/Evaluation.md links to.";

/** LLaVA's two generators: one for short answers, one for long ones. */
const [short, long] = [128, 1024];

/** A benchmark whose question file has LLaVA's question lines. */
function withLines(
  id: string,
  title: string,
  folder: string,
  file: string,
  pictures: string,
  picturesFrom: string,
  more: Partial<Benchmark> = {},
): Benchmark {
  return {
    id,
    title,
    folders: [folder],
    questions: () => [file],
    pictures: [pictures],
    from: zip,
    picturesFrom,
    maxNewTokens: short,
    parse: parseQuestionLines,
    ...more,
  };
}

export const benchmarks: readonly Benchmark[] = [
  withLines(
    "vqav2",
    "VQAv2",
    "vqav2",
    "llava_vqav2_mscoco_test-dev2015.jsonl",
    "test2015",
    "They are COCO's test2015.zip.",
  ),
  withLines(
    "gqa",
    "GQA",
    "gqa",
    "llava_gqa_testdev_balanced.jsonl",
    "data/images",
    "They are images.zip of GQA's download page.",
    { questions: () => ["llava_gqa_testdev_balanced.jsonl", "data/llava_gqa_testdev_balanced.jsonl"] },
  ),
  withLines("vizwiz", "VizWiz", "vizwiz", "llava_test.jsonl", "test", "They are test.zip of VizWiz's page."),
  {
    id: "scienceqa",
    title: "ScienceQA",
    folders: ["scienceqa"],
    questions: () => ["llava_test_CQM-A.json"],
    pictures: ["images/test"],
    from: zip,
    picturesFrom: "They are the folder images of ScienceQA's data/scienceqa.",
    maxNewTokens: long,
    parse: parseScienceQa,
  },
  withLines(
    "textvqa",
    "TextVQA",
    "textvqa",
    "llava_textvqa_val_v051_ocr.jsonl",
    "train_images",
    "They are train_val_images.zip of TextVQA's download page.",
  ),
  withLines("pope", "POPE", "pope", "llava_pope_test.jsonl", "val2014", "They are COCO's val2014.zip."),
  withLines(
    "mme",
    "MME",
    "MME",
    "llava_mme.jsonl",
    "MME_Benchmark_release_version",
    "They come with MME itself.",
    { folders: ["MME", "mme"] }, // prettier-ignore
  ),
  {
    id: "mmbench",
    title: "MMBench",
    folders: ["mmbench"],
    questions: () => ["mmbench_dev_20230712.tsv"],
    from: "It is on MMBench's download page, with the pictures in it.",
    maxNewTokens: long,
    parse: parseMmbench("en"),
  },
  {
    id: "mmbench-cn",
    title: "MMBench-CN",
    // LLaVA's script looks in the first, its documentation says the second.
    folders: ["mmbench_cn", "mmbench"],
    questions: () => ["mmbench_dev_cn_20231003.tsv"],
    from: "It is on MMBench's download page, with the pictures in it.",
    maxNewTokens: long,
    parse: parseMmbench("cn"),
  },
  withLines(
    "seed",
    "SEED-Bench",
    "seed_bench",
    "llava-seed-bench.jsonl",
    ".",
    "Pictures go to SEED-Bench-image, and the middle frames of the videos to SEED-Bench-video-image.",
  ),
  withLines(
    "llava-bench",
    "LLaVA-Bench (in the wild)",
    "llava-bench-in-the-wild",
    "questions.jsonl",
    "images",
    "They come with the data set llava-bench-in-the-wild.",
    { maxNewTokens: long, from: "It comes with the data set llava-bench-in-the-wild." },
  ),
  withLines("mm-vet", "MM-Vet", "mm-vet", "llava-mm-vet.jsonl", "images", "They are in MM-Vet's mm-vet.zip.", {
    folders: ["mm-vet", "mmvet"],
    maxNewTokens: long,
  }),
  qBench("qbench", "Q-Bench", "en", { dev: "llvisionqa_dev.json", test: "llvisionqa_test.json" }),
  qBench("qbench-cn", "Chinese Q-Bench", "zh", {
    dev: "质衡-问答-验证集.json",
    test: "质衡-问答-测试集.json",
  }),
];

function qBench(id: string, title: string, language: "en" | "zh", files: { dev: string; test: string }): Benchmark {
  return {
    id,
    title,
    folders: ["qbench"],
    splits: ["dev", "test"],
    questions: (split) => [split === "test" ? files.test : files.dev],
    // LLaVA's script looks outside of eval; its documentation has a slip in the name.
    pictures: ["images_llvisionqa", "images_llviqionqa", "../../qbench/images_llvisionqa"],
    from: "It is in the data set LLVisionQA-QBench.",
    picturesFrom: "They are images_llvisionqa.tar of the data set LLVisionQA-QBench.",
    maxNewTokens: long,
    // The generator handed pictures to CLIP's own preprocessing, which crops.
    imageMode: "crop",
    parse: parseQBench(language),
  };
}

/** Questions of one's own: LLaVA's question lines, with paths of both parts given. */
export const custom: Benchmark = withLines("custom", "your questions", ".", "questions.jsonl", ".", "", {
  maxNewTokens: long,
  from: "Give the file to --questions.",
});
