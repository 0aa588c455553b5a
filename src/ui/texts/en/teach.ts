// English sentences of the view in which a model is taught.
import type { LessonKind } from "#chat/teach/lesson.ts";
import type { PictureProblem } from "#chat/pictures/pictures.web.ts";

const plural = (count: number, one: string, many: string): string => (count === 1 ? one : many);
const pictures = (count: number): string => plural(count, "1 picture", `${count} pictures`);
const list = (names: readonly string[]): string =>
  names
    .slice(0, 4)
    .map((name) => `“${name}”`)
    .join(", ") + (names.length > 4 ? `, and ${names.length - 4} more` : "");

const kinds: Record<LessonKind, { readonly title: string; readonly hint: string }> = {
  things: {
    title: "Things and their names",
    hint: "Your cat, your mug, your colleague's car. The model learns to call each by its name.",
  },
  classes: {
    title: "Sort into classes",
    hint: "Defect or no defect, ripe or unripe. The model learns which class a picture belongs to.",
  },
  free: {
    title: "Questions and answers",
    hint: "Any question about a picture, with the answer you want in your own words.",
  },
};

const unusable: Record<PictureProblem, (files: string, count: number) => string> = {
  heic: (files) => `This browser can't open HEIC photos: ${files}. Save them as JPEG, then add them again.`,
  broken: (files, count) =>
    `${files} ${plural(count, "is", "are")} damaged. Get ${plural(count, "a new copy", "new copies")}, then add ${plural(count, "it", "them")} again.`,
  "not-a-picture": (files, count) =>
    `${files} ${plural(count, "isn't a picture", "aren't pictures")} and ${plural(count, "was", "were")} left out.`,
  unreadable: (files, count) =>
    `${files} couldn't be read. Save ${plural(count, "it", "them")} on this device first, then try again.`,
  "not-fetched": (files) => `${files} couldn't be downloaded. Save it on this device, then add it from there.`,
  silent: (files) => `${files}: the server sends nothing. Save it on this device, then add it from there.`,
  "too-large": (files, count) =>
    `${files} ${plural(count, "has", "have")} too many pixels. Make ${plural(count, "it", "them")} smaller, then add ${plural(count, "it", "them")} again.`,
  "too-slow": (files, count) =>
    `${files} would take too long to open. Save ${plural(count, "it", "them")} as JPEG or PNG, then add ${plural(count, "it", "them")} again.`,
};

export const teach = {
  title: "Teach",
  lead: "Show a model a few pictures of your own things, and it learns them here, in minutes. The pictures and what is learned stay on this device.",
  again: "Teach the model something new",
  kinds,
  begin: "What should it learn?",
  yours: "Your lessons",
  importButton: "Open a saved lesson",
  importHint: "A zip saved here, or pictures with questions and answers in LLaVA's JSON format.",
  untitled: "New lesson",
  corrections: "Corrections from chats",
  summary: (things: number, count: number) => `${plural(things, "1 answer", `${things} answers`)} · ${pictures(count)}`,
  notTaught: "not taught yet",
  taughtScore: (right: number, of: number) => `${right} of ${of} right`,
  all: "All lessons",
  missing: "This lesson isn't on this device. It was deleted, or it belongs to another browser.",
  reading: "Reading your lessons…",
  name: "Lesson name",
  question: "Question",
  questionHint: {
    things: "Asked about every picture of this lesson. Keep it short, and ask it the same way later.",
    classes: "Asked about every picture of this lesson, for example “Is there a defect?”",
  },
  defaultQuestions: { things: "What is this?", classes: "Is there a defect?", free: "" } satisfies Record<
    LessonKind,
    string
  >,
  defaultAnswers: { things: ["", ""], classes: ["Defect", "No defect"], free: [""] } satisfies Record<
    LessonKind,
    readonly string[]
  >,
  answerLabels: { things: "Name", classes: "Class", free: "Answer" } satisfies Record<LessonKind, string>,
  answerHints: {
    things: "Mimi",
    classes: "Defect",
    free: "The answer you want",
  } satisfies Record<LessonKind, string>,
  cardQuestion: "Question",
  cards: "What it learns",
  card: (index: number, answer: string) => (answer === "" ? `Card ${index}` : answer),
  addCard: { things: "Add a thing", classes: "Add a class", free: "Add a question" } satisfies Record<
    LessonKind,
    string
  >,
  removeCard: (answer: string) => (answer === "" ? "Remove this card" : `Remove ${answer}`),
  addPictures: "Add pictures",
  addFolder: "Add a folder",
  fromChat: "From this chat",
  fromChatTitle: "Pictures of the current chat",
  fromChatHint: "Choose the pictures to add.",
  fromChatAdd: (count: number) => `Add ${pictures(count)}`,
  dropHere: "Drop pictures here, or paste them",
  dropFolders: "Drop pictures on a card. Folders become cards named after them.",
  count: (count: number) => pictures(count),
  opening: (count: number) => `Opening ${pictures(count)}…`,
  move: (name: string) => `Move ${name} to another card`,
  moveTo: "Move to…",
  lost: (name: string) => `${name} wasn't kept. Add it again.`,
  heldOut: "test",
  heldOutHint: "Held out: the model doesn't learn from this picture, so it shows whether it has understood.",
  choosing: "check",
  choosingHint:
    "Set aside: the model doesn't learn from this picture. It tells when to stop and how strong the result should be.",
  same: (count: number) => `${plural(count, "1 picture was", `${count} pictures were`)} already on this card.`,
  otherCard: (count: number, answer: string) =>
    `${plural(count, "1 picture is", `${count} pictures are`)} already on the card “${answer}”. One picture can't have two answers: move ${plural(count, "it", "them")} there if this card is right.`,
  unusable: (problem: PictureProblem, names: readonly string[]) => unusable[problem](list(names), names.length),
  nothingFound: "There were no pictures among these files.",
  unsaved: {
    full: (count: number) =>
      count === 0
        ? "The browser's storage is full: your latest changes will be lost when you leave. Free up space, then change something to save again."
        : `The browser's storage is full: ${pictures(count)} will be lost when you leave. Free up space, then add ${plural(count, "it", "them")} again.`,
    blocked: "This browser doesn't keep data for this page: the lesson will be lost when you leave. Save it as a file.",
  },
  undone: {
    lesson: "Lesson deleted.",
    card: "Card removed.",
    picture: "Picture removed.",
    example: "Example removed.",
  },
  needsTitle: "What makes good pictures",
  needs: [
    "At least 3 pictures of each thing; 10 or more do better.",
    "The thing large in the picture, from several sides, in different places and light.",
    "The same number of pictures for each thing.",
    "For “is it or isn't it”: as many pictures where it isn't, as similar as possible.",
  ],
  needsTest: "About a quarter of the pictures is set aside to test what was learned. They are chosen automatically.",
  problems: {
    empty: "Add pictures to at least one card, and say what they show.",
    "no-answer": (count: number) =>
      `${plural(count, "1 card has", `${count} cards have`)} pictures but no answer. Say what they show.`,
    "no-question": (count: number) =>
      count === 1
        ? "A question is missing. Write what will be asked."
        : `${count} cards have no question. Write what will be asked.`,
    "too-few": (answers: readonly string[]) => `Too few pictures of ${list(answers)}: at least 3 are needed of each.`,
    "one-class": (answer: string) =>
      `With one answer only, the model would call everything “${answer}”. Add a second card with pictures of something else.`,
    "two-answers": (count: number, answers: readonly [string, string]) =>
      `${plural(count, "1 picture has", `${count} pictures have`)} two answers, “${answers[0]}” and “${answers[1]}”. Remove ${plural(count, "it", "them")} from one of the cards.`,
    uneven: (most: string, least: string) =>
      `“${most}” has many more pictures than “${least}”. The model will prefer it; add pictures of “${least}” if you can.`,
    few: (answers: readonly string[]) => `More pictures of ${list(answers)} would help: 10 or more of each do better.`,
    untested: "With one picture for each answer, nothing can be set aside to test what was learned.",
  },
  noAnswer: "(no answer)",
  teachTitle: "Teach it",
  model: "Model",
  time: "Time for learning",
  minutes: (count: number) => plural(count, "At most 1 minute", `At most ${count} minutes`),
  planButton: "Check and estimate",
  planning: "Looking at the pictures and measuring one step…",
  planned: (minutes: number, memory: string, trained: number, choosing: number, heldOut: number) =>
    `${minutes <= 1 ? "About a minute" : `About ${minutes} minutes`}, up to ${memory} of memory. ${pictures(trained)} to learn from, ${choosing === 0 ? "" : `${choosing} to check when it's enough, `}${heldOut} set aside to test it.`,
  singles: (answers: readonly string[]) =>
    `One picture only of ${list(answers)}: nothing will tell whether ${answers.length === 1 ? "it was" : "they were"} learned.`,
  start: "Start teaching",
  startHint: "You can chat and look around meanwhile. Keep this tab open.",
  planProblems: {
    "too-few-pictures": (count: number, least: number) =>
      `${pictures(count)} ${plural(count, "is", "are")} too few: add pictures until there are at least ${least}.`,
    "empty-text": (name: string) => `${name} has no question or no answer. Write both.`,
    "unreadable-picture": (name: string) => `${name} can't be opened any more. Remove it, or add it again.`,
    contradiction: (question: string) =>
      `The same picture has two different answers to “${question}”. Remove it from one of the cards.`,
    "too-long": (name: string) => `The question and the answer of ${name} are too long. Shorten them.`,
    "other-architecture": (model: string) => `${model} can't be taught here: it is built differently.`,
    "no-room": (model: string) => `${model} was packed without room for what it would learn.`,
    "too-large": (model: string, needed: string) =>
      `${model} is too large to be taught on this device: it would need ${needed} of memory.`,
  },
  tryPupil: (model: string) => `Teach ${model} instead`,
  noPupil:
    "No model that can be taught is on this device yet. Wait until the built-in model has loaded, or get one under Models.",
  running: {
    model: "Loading the model…",
    pictures: (done: number, total: number) => `Looking at the pictures: ${done} of ${total}`,
    replay: (done: number, total: number) =>
      `Noting what it knows already, so that it isn't forgotten: ${done} of ${total}`,
    before: "Asking about the test pictures before it learns…",
    step: (step: number, steps: number, left: string) => `Learning: step ${step} of ${steps} · ${left}`,
    saving: "Storing what was learned…",
    after: "Asking about the test pictures again…",
    stopping: "Stopping after this step…",
  },
  secondsLeft: (seconds: number) =>
    seconds < 60
      ? `about ${Math.max(5, Math.ceil(seconds / 5) * 5)} seconds left`
      : `about ${plural(Math.round(seconds / 60), "1 minute", `${Math.round(seconds / 60)} minutes`)} left`,
  progress: "Teaching progress",
  stop: "Stop",
  stopTitle: "Stop teaching?",
  stopKeep: "Keep what was learned so far",
  stopDiscard: "Discard",
  stopGoOn: "Go on",
  inChat: (name: string, percent: string) => `Teaching “${name}”: ${percent}`,
  inChatDone: (name: string) => `“${name}” has been taught.`,
  inChatFailed: (name: string) => `Teaching “${name}” ended early.`,
  show: "Show",
  curveTitle: "How wrong the model is",
  curveText: (first: string, last: string, steps: number) =>
    `Loss over ${plural(steps, "1 step", `${steps} steps`)}: from ${first} to ${last}. Lower is better.`,
  curveHeldOut: (first: string, last: string) => `On pictures set aside: from ${first} to ${last}.`,
  curveLegend: { loss: "pictures it learns from", heldOut: "pictures set aside" },
  busy: "Another tab of this page is teaching a model. Wait until it has finished, then try again.",
  stopped: "Stopped. Nothing was kept.",
  unlearned:
    "It hasn't learned this: no step made it better on the pictures set aside, so nothing was kept. Add pictures, with the thing larger, or give it more time.",
  failed: "The teaching failed.",
  retry: "Try again",
  resultsTitle: "What was learned",
  result: (model: string, when: string, duration: string) => `${model} · ${when} · took ${duration}`,
  verdict: (right: number, of: number, before: number) => {
    if (of === 0) return "Learned, but there were no test pictures: try it with new ones in a chat.";
    if (right === of && before === of) return `It knew this already: all ${of} test pictures right, before and after.`;
    if (right === of) return `It has learned: all ${of} test pictures right, ${before} before.`;
    if (right > before && right / of >= 0.7)
      return `It has learned most of it: ${right} of ${of} test pictures right, ${before} before.`;
    if (right > before)
      return `It has learned only a part: ${right} of ${of} test pictures right, ${before} before. More pictures of what it gets wrong would help.`;
    return `It has not learned this: ${right} of ${of} test pictures right, ${before} before. Try more pictures, with the thing larger, or shorter answers.`;
  },
  stoppedEarly: "Stopped early; the best step so far was kept.",
  chosenByTest:
    "The test pictures also told when to stop, so this looks a little better than it is. With 6 pictures or more of each answer, others do that.",
  testTable: "Test pictures, before and after",
  columns: { picture: "Picture", wanted: "Wanted", before: "Before", after: "After" },
  right: "right",
  wrong: "wrong",
  use: "Use it",
  inUse: "In use",
  more: "Teach more",
  moreHint: "Add pictures above, then teach again. It starts from the original model, with all pictures.",
  saveResult: "Save the adapter",
  saveResultHint: "A LoRA adapter as a zip: open it on another device under Models, or in Python with PEFT.",
  removeResult: "Delete",
  reallyRemove: (name: string) => `Delete what was learned in “${name}”?`,
  cancel: "Cancel",
  removed: "What was learned was deleted. The lesson is kept.",
  resultInUse: "It is answering right now. Wait until the answer has finished, then delete it.",
  resultGone: "The adapter of this result is no longer on this device.",
  privacy: "Nothing is sent anywhere. Lessons are kept in this browser.",
  correction: {
    ask: "What should it have said?",
    question: "To the question",
    lesson: "Keep it in",
    keep: "Keep for teaching",
    keepGood: "Keep this answer for teaching",
    hint: "Kept on this device with its picture. The model learns it the next time you teach it.",
    kept: (answer: string) => `Kept for teaching: “${answer}”`,
    change: "Change",
    show: "Show in Teach",
    cannot: {
      "no-picture": "Only answers about a picture can be corrected for teaching.",
      "several-pictures":
        "This answer is about several pictures; a correction needs a question about one. Ask about one picture, then correct that answer.",
    },
  },
  saveFile: "Save as a file",
  saveFileHint: "A zip with your pictures and LLaVA's JSON. The command “llava teach” reads it, too.",
  saved: "The lesson is being saved to your downloads.",
  saveFailed: "The lesson couldn't be saved as a file. Reload the page, then try again.",
  tooLarge: "This lesson has more than 4 GB, too much for one zip file. Divide it into several.",
  remove: "Delete lesson",
  imported: (count: number) => `${pictures(count)} opened.`,
  importedLeftOut: (count: number) =>
    `${plural(count, "1 entry was", `${count} entries were`)} left out: an example needs one picture, a question, and an answer.`,
  importFailed: "These files hold no lesson. Choose a zip saved here, or LLaVA's JSON together with its pictures.",
};

export type TeachTexts = typeof teach;
