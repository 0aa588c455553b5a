// 评测页面的中文文本。Chinese, of the page that asks a model a benchmark's questions.
import type { Trouble } from "#evaluation/evaluation.ts";
import type { EvaluationTexts } from "#ui/texts/en/evaluation.ts";

const number = (value: number): string => value.toLocaleString("zh");

const trouble = (one: Trouble): string => {
  switch (one.kind) {
    case "no-questions":
      return '这些文件中没有问题。问题文件的每一行类似 {"question_id": 1, "image": "1.jpg", "text": "Is it red?"}。';
    case "no-pictures":
      return `${number(one.of)} 张图片都不在这里，例如 ${one.example}。请添加图片所在的文件夹。`;
    case "not-kept":
      return "浏览器的存储空间已满，回答不会保留到下次访问。请在关闭页面前保存。";
    case "damaged":
      return one.detail;
    case "stopped":
      return `评测已停止，已有的回答都已保留。${one.detail}`;
    case "not-scored":
      return `无法给这些回答评分。${one.detail}`;
  }
};

export const evaluation: EvaluationTexts = {
  tag: "zh",
  title: "评测",
  lead: "用 LLaVA 的提示词向本机上的模型提出基准问题，并为回答评分。",
  drop: "将问题文件和图片拖到这里",
  dropMore: "添加文件",
  dropOverlay: "松手即可打开",
  hints: [
    "LLaVA 的问题行，或基准自己的文件：VQAv2、GQA、VizWiz、ScienceQA、TextVQA、POPE、MME、MMBench、SEED-Bench、LLaVA-Bench、MM-Vet、Q-Bench",
    "可以拖入整个基准文件夹，图片和标注会自动找到",
    '带有正确答案（"answer"、"answers" 或 "label"）的问题行可直接评分',
  ],
  hintsTitle: "可以拖入的内容",
  chooseFiles: "选择文件",
  chooseFolder: "选择文件夹",
  private: "所有内容都不会离开本机。",
  toChat: "前往聊天",
  model: "模型",
  modelGone: (id) => `模型 ${id} 已不在本机上。请在聊天页面重新下载，或放弃此次评测。`,
  questions: (count) => `${number(count)} 个问题`,
  picturesHere: (count) => `${number(count)} 张图片`,
  start: "开始",
  resume: "继续",
  pause: "暂停",
  tryAgain: "重新提问失败的问题",
  save: "保存回答",
  view: "并排查看",
  discard: "放弃",
  phases: {
    empty: "",
    ready: "就绪",
    loading: "正在加载模型……",
    running: "进行中",
    paused: "已暂停",
    done: "已完成",
  },
  progress: (done, total) => `已回答 ${number(done)} / ${number(total)}`,
  pace: (perMinute, left) => `每分钟 ${perMinute} 个问题，剩余 ${left}`,
  left: (seconds) => {
    if (seconds < 90) return `${number(Math.round(seconds))} 秒`;
    const minutes = Math.round(seconds / 60);
    return minutes < 90 ? `${minutes} 分钟` : `${Math.floor(minutes / 60)} 小时 ${minutes % 60} 分钟`;
  },
  failed: (count) => `${number(count)} 个问题未能提出`,
  answers: "回答",
  notYet: "……",
  figures: "统计",
  figure: "指标",
  value: "数值",
  items: "问题数",
  notes: "不匹配之处",
  trouble,
};
