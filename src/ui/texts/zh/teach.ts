// 教模型认东西的页面的中文句子。
import type { TeachTexts } from "#ui/texts/en/teach.ts";

const list = (names: readonly string[]): string =>
  names
    .slice(0, 4)
    .map((name) => `“${name}”`)
    .join("、") + (names.length > 4 ? ` 等 ${names.length} 项` : "");

export const teach: TeachTexts = {
  title: "教模型",
  lead: "给模型看几张你自己的东西的图片，几分钟内它就能在这里学会。图片和学到的内容都不会离开本机。",
  again: "教模型认识新东西",
  kinds: {
    things: { title: "东西和名字", hint: "你家的猫、你的杯子、同事的车。模型学会叫出每样东西的名字。" },
    classes: { title: "分类", hint: "有缺陷还是没缺陷，熟了还是没熟。模型学会判断图片属于哪一类。" },
    free: { title: "问题和回答", hint: "关于图片的任何问题，以及你想要的回答，用你自己的话写。" },
  },
  begin: "想让它学什么？",
  yours: "你的课程",
  importButton: "打开保存的课程",
  importHint: "在这里保存的 zip 文件，或 LLaVA JSON 格式的图片和问答。",
  untitled: "新课程",
  corrections: "聊天中的更正",
  summary: (things, count) => `${things} 个答案 · ${count} 张图片`,
  notTaught: "还没教过",
  taughtScore: (right, of) => `${of} 题答对 ${right} 题`,
  all: "所有课程",
  missing: "此课程不在本机：可能已被删除，或属于另一个浏览器。",
  reading: "正在读取课程……",
  name: "课程名称",
  question: "问题",
  questionHint: {
    things: "对本课程的每张图片都问这个问题。问题要简短，以后也用同样的问法。",
    classes: "对本课程的每张图片都问这个问题，例如“有缺陷吗？”",
  },
  defaultQuestions: { things: "What is this?", classes: "Is there a defect?", free: "" },
  defaultAnswers: { things: ["", ""], classes: ["Defect", "No defect"], free: [""] },
  answerLabels: { things: "名字", classes: "类别", free: "回答" },
  answerHints: { things: "Mimi", classes: "Defect", free: "你想要的回答" },
  cardQuestion: "问题",
  cards: "要学的内容",
  card: (index, answer) => (answer === "" ? `卡片 ${index}` : answer),
  addCard: { things: "添加一样东西", classes: "添加一个类别", free: "添加一个问题" },
  removeCard: (answer) => (answer === "" ? "删除这张卡片" : `删除 ${answer}`),
  addPictures: "添加图片",
  addFolder: "添加文件夹",
  fromChat: "从当前对话添加",
  fromChatTitle: "当前对话中的图片",
  fromChatHint: "选择要添加的图片。",
  fromChatAdd: (count) => `添加 ${count} 张图片`,
  dropHere: "把图片拖到这里，或粘贴",
  dropFolders: "把图片拖到卡片上。拖入文件夹会生成同名的卡片。",
  count: (count) => `${count} 张图片`,
  opening: (count) => `正在打开 ${count} 张图片……`,
  move: (name) => `把 ${name} 移到另一张卡片`,
  moveTo: "移到……",
  lost: (name) => `${name} 未能保存。请再添加一次。`,
  heldOut: "测试",
  heldOutHint: "留作测试：模型不会从这张图片学习，用它来检验是否真的学会了。",
  choosing: "校验",
  choosingHint: "留作校验：模型不会从这张图片学习，用它来决定何时停止、效果保留多强。",
  same: (count) => `${count} 张图片已在这张卡片上。`,
  otherCard: (count, answer) =>
    `${count} 张图片已在卡片“${answer}”上。一张图片不能有两个答案；如果应属于这张卡片，请把它移过来。`,
  unusable: (problem, names) => {
    const files = list(names);
    switch (problem) {
      case "heic":
        return `此浏览器打不开 HEIC 照片：${files}。请另存为 JPEG 后再添加。`;
      case "broken":
        return `${files} 已损坏。请找一份完好的再添加。`;
      case "not-a-picture":
        return `${files} 不是图片，已略过。`;
      case "unreadable":
        return `无法读取 ${files}。请先保存到本机再试。`;
      case "not-fetched":
        return `无法下载 ${files}。请先保存到本机再添加。`;
      case "silent":
        return `${files}：服务器没有响应。请先保存到本机再添加。`;
      case "too-large":
        return `${files} 像素太多。请缩小后再添加。`;
      case "too-slow":
        return `打开 ${files} 太费时间。请另存为 JPEG 或 PNG 后再添加。`;
    }
  },
  nothingFound: "这些文件中没有图片。",
  unsaved: {
    full: (count) =>
      count === 0
        ? "浏览器的存储空间已满：最近的更改离开后会丢失。请清理空间，然后再改动一次以便保存。"
        : `浏览器的存储空间已满：${count} 张图片离开后会丢失。请清理空间后再添加一次。`,
    blocked: "此浏览器不保存本页数据：离开后课程会丢失。请把它保存为文件。",
  },
  undone: { lesson: "课程已删除。", card: "卡片已删除。", picture: "图片已删除。", example: "示例已删除。" },
  needsTitle: "怎样的图片效果好",
  needs: [
    "每样东西至少 3 张图片，10 张以上效果更好。",
    "东西在图片中要大，从不同角度、在不同地点和光线下拍摄。",
    "每样东西的图片数量相近。",
    "要判断“是不是”时：“不是”的图片也要一样多，而且尽量相似。",
  ],
  needsTest: "大约四分之一的图片会自动留出来，用于测试学得怎样。",
  problems: {
    empty: "请至少给一张卡片添加图片，并写明图片里是什么。",
    "no-answer": (count) => `${count} 张卡片有图片但没有答案。请写明图片里是什么。`,
    "no-question": (count) =>
      count === 1 ? "缺少问题。请写明要问什么。" : `${count} 张卡片没有问题。请写明要问什么。`,
    "too-few": (answers) => `${list(answers)} 的图片太少：每样至少需要 3 张。`,
    "one-class": (answer) => `只有一个答案时，模型会把所有图片都答成“${answer}”。请再加一张卡片，放入别的东西的图片。`,
    "two-answers": (count, answers) =>
      `${count} 张图片有两个答案：“${answers[0]}”和“${answers[1]}”。请从其中一张卡片上删除。`,
    uneven: (most, least) => `“${most}”的图片比“${least}”多得多，模型会偏向它。可以的话，请给“${least}”多加些图片。`,
    few: (answers) => `${list(answers)} 的图片再多些更好：每样 10 张以上效果更好。`,
    untested: "每个答案只有一张图片，没有图片可以留作测试。",
  },
  noAnswer: "（没有回答）",
  teachTitle: "开始教",
  model: "模型",
  time: "学习时间",
  minutes: (count) => `最多 ${count} 分钟`,
  planButton: "检查并估算",
  planning: "正在查看图片并试算一步……",
  planned: (minutes, memory, trained, choosing, heldOut) =>
    `约 ${Math.max(1, minutes)} 分钟，最多占用 ${memory} 内存。用 ${trained} 张图片学习，${choosing === 0 ? "" : `${choosing} 张校验何时停止，`}留出 ${heldOut} 张测试。`,
  singles: (answers) => `${list(answers)} 只有一张图片：无法检验是否学会。`,
  start: "开始教",
  startHint: "期间可以继续聊天或查看其他内容。请不要关闭此标签页。",
  planProblems: {
    "too-few-pictures": (count, least) => `${count} 张图片太少：请至少加到 ${least} 张。`,
    "empty-text": (name) => `${name} 缺少问题或回答。请都写上。`,
    "unreadable-picture": (name) => `${name} 已无法打开。请删除，或重新添加。`,
    contradiction: (question) => `同一张图片对“${question}”有两个不同的答案。请从其中一张卡片上删除。`,
    "too-long": (name) => `${name} 的问题和回答太长。请缩短。`,
    "other-architecture": (model) => `${model} 的结构不同，不能在这里教。`,
    "no-room": (model) => `${model} 打包时没有为要学的内容留出位置。`,
    "too-large": (model, needed) => `${model} 太大，不能在本机上教：需要 ${needed} 内存。`,
  },
  tryPupil: (model) => `改教 ${model}`,
  noPupil: "本机还没有可以教的模型。请等内置模型加载完，或在“模型”中获取一个。",
  running: {
    model: "正在加载模型……",
    pictures: (done, total) => `正在查看图片：${done} / ${total}`,
    replay: (done, total) => `正在记下它已经会的内容，以免忘记：${done} / ${total}`,
    before: "学习之前，先问测试图片……",
    step: (step, steps, left) => `学习中：第 ${step} / ${steps} 步 · ${left}`,
    saving: "正在保存学到的内容……",
    after: "再问一遍测试图片……",
    stopping: "这一步之后停止……",
  },
  secondsLeft: (seconds) =>
    seconds < 60 ? `还需约 ${Math.max(5, Math.ceil(seconds / 5) * 5)} 秒` : `还需约 ${Math.round(seconds / 60)} 分钟`,
  progress: "学习进度",
  stop: "停止",
  stopTitle: "停止学习？",
  stopKeep: "保留目前学到的",
  stopDiscard: "丢弃",
  stopGoOn: "继续学",
  inChat: (name, percent) => `正在教“${name}”：${percent}`,
  inChatDone: (name) => `“${name}”已经教完。`,
  inChatFailed: (name) => `“${name}”没有教完就结束了。`,
  show: "查看",
  curveTitle: "模型错得有多厉害",
  curveText: (first, last, steps) => `${steps} 步的损失：从 ${first} 到 ${last}。越低越好。`,
  curveHeldOut: (first, last) => `留出的图片：从 ${first} 到 ${last}。`,
  curveLegend: { loss: "用来学习的图片", heldOut: "留出的图片" },
  busy: "本页的另一个标签页正在教模型。请等它结束后再试。",
  stopped: "已停止，什么都没有保留。",
  unlearned:
    "没有学会：没有一步让它在留出的图片上答得更好，所以什么都没有保留。请多加些图片、让东西在图片中更大，或给它更多时间。",
  failed: "没有教成。",
  retry: "再试一次",
  resultsTitle: "学到了什么",
  result: (model, when, duration) => `${model} · ${when} · 用时 ${duration}`,
  verdict: (right, of, before) => {
    if (of === 0) return "已经学过，但没有测试图片：请在聊天中用新图片试试。";
    if (right === of && before === of) return `它本来就会：${of} 张测试图片学习前后都全部答对。`;
    if (right === of) return `学会了：${of} 张测试图片全部答对，之前答对 ${before} 张。`;
    if (right > before && right / of >= 0.7)
      return `大部分学会了：${of} 张测试图片答对 ${right} 张，之前 ${before} 张。`;
    if (right > before)
      return `只学会了一部分：${of} 张测试图片答对 ${right} 张，之前 ${before} 张。给答错的东西多加些图片会有帮助。`;
    return `没有学会：${of} 张测试图片答对 ${right} 张，之前 ${before} 张。请多加些图片、让东西在图片中更大，或把答案写短些。`;
  },
  stoppedEarly: "提前停止，保留了到那时为止最好的一步。",
  chosenByTest:
    "何时停止也是由测试图片决定的，所以结果看起来会比实际略好。每个答案有 6 张以上图片时，会改用其他图片来决定。",
  testTable: "测试图片：学习前后",
  columns: { picture: "图片", wanted: "应答", before: "之前", after: "之后" },
  right: "对",
  wrong: "错",
  use: "使用它",
  inUse: "使用中",
  more: "继续教",
  moreHint: "在上面添加图片，然后再教一次。它会用所有图片从原来的模型重新学。",
  saveResult: "保存适配器",
  saveResultHint: "LoRA 适配器（zip）：可在另一台设备的“模型”中打开，或在 Python 中用 PEFT 读取。",
  removeResult: "删除",
  reallyRemove: (name) => `删除在“${name}”中学到的内容？`,
  cancel: "取消",
  removed: "学到的内容已删除，课程还在。",
  resultInUse: "它正在回答。请等回答结束后再删除。",
  resultGone: "这个结果的适配器已不在本机。",
  privacy: "什么都不会发送出去。课程保存在此浏览器中。",
  correction: {
    ask: "它应该怎么回答？",
    question: "对于问题",
    lesson: "保存到",
    keep: "留着教它",
    keepGood: "留着这个回答教它",
    hint: "连同图片保存在本机。下次教模型时，它会学到。",
    kept: (answer) => `已留着教它：“${answer}”`,
    change: "修改",
    show: "在“教模型”中查看",
    cannot: {
      "no-picture": "只有关于图片的回答才能更正并用来教它。",
      "several-pictures": "这个回答涉及多张图片，更正需要只针对一张图片的问题。请针对一张图片提问，再更正那个回答。",
    },
  },
  saveFile: "保存为文件",
  saveFileHint: "包含图片和 LLaVA JSON 的 zip 文件，命令“llava teach”也能读取。",
  saved: "课程正在保存到下载文件夹。",
  saveFailed: "课程无法保存为文件。请重新加载页面后再试。",
  tooLarge: "此课程超过 4 GB，无法放进一个 zip 文件。请分成几个课程。",
  remove: "删除课程",
  imported: (count) => `已打开 ${count} 张图片。`,
  importedLeftOut: (count) => `略过了 ${count} 条：每个示例需要一张图片、一个问题和一个回答。`,
  importFailed: "这些文件中没有课程。请选择在这里保存的 zip 文件，或 LLaVA 的 JSON 及其图片。",
};
