// 回答并排查看页面的中文文本。Chinese, of the page that shows answers side by side.
import type { FileProblem } from "#eval/files/problems.ts";
import type { BoardProblem } from "#review/board.ts";
import type { ReviewTexts } from "#ui/texts/en/review.ts";

const number = (value: number): string => value.toLocaleString("zh");

const fileProblem = (one: FileProblem): string => {
  switch (one.kind) {
    case "cut":
      return `${one.file} 的最后一行不完整，已略去。`;
    case "broken":
      return `${one.file} 有 ${number(one.count)} 行不是 JSON（首行为第 ${number(one.first)} 行），已略去。`;
    case "no-answer-fields":
      return `${one.file} 有 ${number(one.count)} 行缺少 question_id 或 text（首行为第 ${number(one.first)} 行），已略去。`;
    case "not-asked":
      return `${one.file} 有 ${number(one.count)} 个问题未能提出（${one.reason}），回答为空。`;
    case "no-scores":
      return `${one.file} 有 ${number(one.count)} 行缺少两个分数，已略去。`;
  }
};

const problem = (one: BoardProblem): string => {
  switch (one.kind) {
    case "missing-answers":
      return `${number(one.of)} 个问题中有 ${number(one.count)} 个在 ${one.file} 中没有回答。`;
    case "unknown-answers":
      return one.count === one.of
        ? `${one.file} 的 ${number(one.of)} 个回答都对不上这里的问题。它是其他基准的回答文件吗？`
        : `${one.file} 有 ${number(one.count)} 个回答对不上这里的问题，已略去。`;
    case "repeated-answers":
      return `${one.file} 有 ${number(one.count)} 个回答的问题编号重复，只显示最后一个。`;
    case "unknown-reviews":
      return `${one.file} 的 ${number(one.of)} 条评审中有 ${number(one.count)} 条对不上这里的问题，已略去。`;
    default:
      return fileProblem(one);
  }
};

export const review: ReviewTexts = {
  tag: "zh",
  title: "并排查看回答",
  lead: "打开问题、图片、多个模型的回答，以及评审结果。",
  drop: "将文件或文件夹拖到这里",
  dropOverlay: "松手即可打开",
  kindsTitle: "可以打开的内容",
  opens: [
    "问题文件：LLaVA 的问题行、MMBench 表格、ScienceQA、Q-Bench",
    "llava eval run 或 LLaVA 的回答文件（.jsonl），每个模型一个",
    "llava eval review 的评审结果",
    "聊天页面导出的投票和标记",
    "图片，或图片所在的文件夹",
  ],
  chooseFiles: "选择文件",
  chooseFolder: "选择文件夹",
  ownVotes: (count) => `打开此浏览器中的 ${number(count)} 票`,
  private: "所有内容都不会离开本机。",
  toChat: "前往聊天",
  opening: "正在打开……",
  files: "已打开的文件",
  kinds: { questions: "问题", answers: "回答", reviews: "评审", votes: "投票", unknown: "未知" },
  close: (name) => `关闭 ${name}`,
  closeAll: "全部关闭",
  pictures: (count) => `${number(count)} 张图片`,
  notOpened: (name) =>
    `${name} 不是问题、回答、评审或投票文件。回答文件的每一行类似 {"question_id": 1, "text": "yes"}。`,
  notRead: (name) => `无法读取 ${name}。请先将它复制到本机，再重新打开。`,
  damaged: (name, detail) => `无法打开 ${name}。${detail}`,
  remarks: (count) => `关于文件的 ${number(count)} 条说明`,
  noQuestions: "还没有可显示的内容：请打开回答、问题或评审文件。",
  problem,
  picturesMissing: (count, of, name) =>
    `${number(of)} 张图片中有 ${number(count)} 张不在已打开的文件里，例如 ${name}。`,
  search: "搜索",
  searchHint: "问题、回答、评审",
  category: "类别",
  model: "模型",
  result: "结果",
  order: "顺序",
  all: "全部",
  anyModel: "任一模型",
  orders: { file: "按文件顺序", disagreement: "分歧大的在前", lowest: "分数低的在前" },
  marks: {
    right: "正确",
    partly: "部分正确",
    wrong: "错误",
    unanswered: "没有回答",
    better: "优于参考回答",
    equal: "与参考回答相当",
    worse: "不如参考回答",
    unread: "分数无法读取",
    won: "被选为最佳",
    lost: "未被选中",
    undecided: "不分上下或都不好",
    up: "获得好评",
    down: "获得差评",
    flag: "已标记",
  },
  list: "问题",
  shown: (shown, all) => (shown === all ? `${number(all)} 个问题` : `${number(all)} 个问题中的 ${number(shown)} 个`),
  none: "没有符合条件的问题。请更改筛选或搜索条件。",
  previous: "上一个问题",
  next: "下一个问题",
  position: (index, count) => `第 ${number(index)} 个，共 ${number(count)} 个`,
  keys: "按键：J、K 或方向键翻页，/ 搜索",
  question: (id) => `问题 ${id}`,
  picture: (name) => `图片 ${name}`,
  noPicture: (name) => `${name} 不在已打开的文件里。`,
  pictureBroken: (name) => `无法显示 ${name}：文件已损坏，或不支持其格式。`,
  earlier: "此前的对话",
  reference: "正确答案",
  references: "正确答案",
  answers: "回答",
  noAnswer: "此文件中没有回答。",
  emptyAnswer: "回答为空。",
  notAsked: (reason) => `未提问：${reason}`,
  score: (value) => `得分 ${value}`,
  reviews: "评审",
  reviewScores: (reference, candidate) => `参考回答 ${reference}，待评回答 ${candidate}`,
  swapped: "先展示待评回答",
  unread: "无法从首行读出分数。",
  summary: "统计",
  answered: "已回答",
  rightShare: "正确率",
  meanScore: "评审均分",
  relative: "相对参考回答",
  ofShown: "统计当前显示的问题。",
};
