"""Golden numbers for the scorers in src/eval/scorers: small made-up answers and labels of every benchmark, and what its published rules give for
them in Python, where regular expressions, sorting, rounding and float sums are those of the published scorers. Writes training/fixtures/evaluation.

    python training/make_eval_golden.py
"""

import json
import random
import re
import shutil
from pathlib import Path

FOLDER = Path(__file__).parent / "fixtures" / "evaluation"
draw = random.Random(7)


def write_lines(path, rows):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))


def write_json(path, value):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value))


# The contractions are read from the TypeScript table, which a test counts: 120 forms.
def contractions():
    source = (Path(__file__).parent.parent / "src/eval/scorers/contractions.ts").read_text()
    table = source.split("`", 2)[1]
    forms = {}
    for entry in table.split():
        form, written = entry.split("<")
        for word in written.split("|"):
            forms[word] = form
    return forms


CONTRACTIONS = contractions()
DIGITS = dict(zip("none zero one two three four five six seven eight nine ten".split(), "0 0 1 2 3 4 5 6 7 8 9 10".split()))
MARKS = [*";/[]\"{}()=+\\_->", "<", "@", "`", ",", "?", "!"]
PERIOD = re.compile(r"(?!<=\d)(\.)(?!\d)")
COMMA = re.compile(r"(?<=\d)(\,)+(?=\d)")


def punctuation(text):
    out = text
    for mark in MARKS:
        beside = mark + " " in text or " " + mark in text
        out = out.replace(mark, "" if beside or COMMA.search(text) else " ")
    return PERIOD.sub("", out, count=int(re.UNICODE))


def digits_and_articles(text):
    words = [DIGITS.get(word, word) for word in text.lower().split()]
    return " ".join(CONTRACTIONS.get(word, word) for word in words if word not in ("a", "an", "the"))


def normalize(text):
    text = text.lower().replace(",", "").replace("?", "").replace("'s", " 's").strip()
    return digits_and_articles(punctuation(text.replace("\n", " ").replace("\t", " ").strip()))


def soft(people, answer):
    scores = []
    for left_out in range(len(people)):
        others = [one for i, one in enumerate(people) if i != left_out and one == answer]
        scores.append(min(1, float(len(others)) / 3))
    return sum(scores) / len(scores) if answer in people else 0.0


WORDS = [
    "a cat", "The Cat.", "two", "2", "two cats", "1,000", "1, 000", "3.5", "3. 5", "v1.0.2", "don't know", "dont know", "it's", "its", "none", "u.s.a.",
    "e.g. this", "ice-cream", "ice cream", "ice -cream", "50%", "$4.99", "\"quoted\"", "a/b", "Yes!", "yes", "somebody'd", "the the a", "st. john's",
    "tab\tbed", "line\nbreak", "été", "l'été.", "...", "." * 40, "ten o'clock", "oclock", "x" + "." * 35 + "y", "१२.३", "1,२", "ß", "İstanbul", "",
    "a.m.", "10:30", "10.30", "no. 5", "no.5", "(c)", "[ok]", "_x_", "a+b=c", "<tag>", "me@here", "what?", "what ?", "why,not", "`code`", "back\\slash",
]  # fmt: skip


def normalizer():
    made = ["".join(draw.choice("ab1 .,?!-'s\"/\n\tThe ") for _ in range(draw.randrange(24))) for _ in range(400)]
    write_json(FOLDER / "normalizer.json", [[text, normalize(text)] for text in WORDS + made])


def text_vqa():
    rows, answers, scores = [], [], []
    for i in range(60):
        people = [draw.choice(WORDS[:30]) for _ in range(draw.choice([2, 3, 5]))]
        ten = [draw.choice(people) for _ in range(10)]
        question = f"What is Number {i}?"
        rows.append({"image_id": f"img{i // 2}", "question": question, "answers": ten})
        if i % 13 == 5:
            continue
        text = draw.choice([draw.choice(ten), draw.choice(WORDS)])
        ending = "Answer the question using a single word or phrase."
        prompt = f"{question}\nReference OCR token: a, b\n{ending}" if i % 2 else f"{question}\n{ending}"
        answers.append({"question_id": f"img{i // 2}", "prompt": prompt, "text": text, "answer_id": "x", "model_id": "oracle", "metadata": {}})
        scores.append(soft([normalize(one) for one in ten], normalize(text)))
    write_json(FOLDER / "textvqa" / "TextVQA_0.5.1_val.json", {"data": rows})
    write_lines(FOLDER / "textvqa" / "answers.jsonl", answers)
    return {"accuracy": f"{100.0 * (sum(scores) / len(scores)):.2f}"}


def pope():
    questions, answers, golden, firsts = [], [], {}, []
    for start, category in ((1, "adversarial"), (10000001, "popular"), (20000091, "random")):
        labels, said = [], []
        for i in range(50):
            label = draw.choice(["yes", "no"])
            labels.append({"question_id": i + 1, "image": f"{i}.jpg", "text": "Is there a cat in the image?", "label": label})
            questions.append({"question_id": start + i, "image": f"{i}.jpg", "text": "Is there a cat in the image?\nAnswer the question using a single word or phrase.", "category": category})  # fmt: skip
            text = draw.choice(["Yes", "No", "no", "yes.", "There is not. Yes", "Yes. No", "No, there is", "not", "Nothing", "yes,no", "no\nyes", "Yes, no doubt."])  # fmt: skip
            answers.append({"question_id": start + i, "prompt": questions[-1]["text"], "text": text, "answer_id": "x", "model_id": "oracle", "metadata": {}})  # fmt: skip
            words = text.split(".")[0].replace(",", "").split(" ")
            said.append(0 if {"No", "not", "no"} & set(words) else 1)
        truth = [0 if row["label"] == "no" else 1 for row in labels]
        write_lines(FOLDER / "pope" / "coco" / f"coco_pope_{category}.json", labels)
        tp = sum(p and t for p, t in zip(said, truth))
        fp = sum(p and not t for p, t in zip(said, truth))
        tn = sum(not p and not t for p, t in zip(said, truth))
        fn = sum(not p and t for p, t in zip(said, truth))
        precision, recall = tp / (tp + fp), tp / (tp + fn)
        f1 = 2 * precision * recall / (precision + recall)
        firsts.append(f1)
        values = (f1, (tp + tn) / len(truth), precision, recall, sum(said) / len(said))
        for name, value in zip(("F1", "accuracy", "precision", "recall", "yes ratio"), values):
            golden[f"{category} {name}"] = f"{value:.4f}"
    write_lines(FOLDER / "pope" / "llava_pope_test.jsonl", questions)
    write_lines(FOLDER / "pope" / "answers.jsonl", answers)
    return {"mean F1": f"{sum(firsts) / 3:.4f}", **golden}


def science_qa():
    problems, answers, right, pictured = {}, [], [], []
    for i in range(80):
        choices = ["red", "green", "blue", "grey", "pink"][: draw.randrange(2, 6)]
        has_picture = draw.random() < 0.5
        problems[str(i)] = {"question": f"Which {i}?", "choices": choices, "answer": draw.randrange(len(choices)), "image": "image.png" if has_picture else None, "subject": draw.choice(["natural science", "social science", "language science"])}  # fmt: skip
        if i % 17 == 3:
            right.append(False)
            pictured.append(False)
            continue
        letter = draw.choice("ABCDE")
        text = draw.choice([letter, f"{letter}. {choices[0]}", f"The answer is {letter}.", f"So. The answer is {letter}.\nIt is.", f"The answer is {letter}", f"The answer is A. The answer is {letter}.", f" {letter}", letter.lower(), "red", f"{letter}.", f"The answer is Z."])  # fmt: skip
        prompt = ("<image>\n" if has_picture else "") + f"Which {i}?"
        answers.append({"question_id": str(i), "prompt": prompt, "text": text, "answer_id": "x", "model_id": "oracle", "metadata": {}})
        found = re.findall(r"The answer is ([A-Z]).", text)
        if text in list("ABCDE"):
            chosen = text
        elif len(text) >= 3 and text[0] in "ABCDE" and text[1:3] == ". ":
            chosen = text[0]
        else:
            chosen = found[0] if len(found) == 1 else "FAILED"
        allowed = list("ABCDE")[: len(choices)]
        right.append(chosen in allowed and allowed.index(chosen) == problems[str(i)]["answer"])
        pictured.append(has_picture)
    write_json(FOLDER / "scienceqa" / "problems.json", problems)
    write_json(FOLDER / "scienceqa" / "pid_splits.json", {"train": [], "test": list(problems)})
    write_lines(FOLDER / "scienceqa" / "answers.jsonl", answers)
    images = [ok for ok, has in zip(right, pictured) if has]
    return {"IMG accuracy": f"{sum(images) / len(images) * 100:.2f}", "accuracy": f"{sum(right) / len(right) * 100:.2f}"}


TASKS = {
    "perception": ["existence", "count", "position", "color", "posters", "celebrity", "scene", "landmark", "artwork", "OCR"],
    "cognition": ["commonsense_reasoning", "numerical_calculation", "text_translation", "code_reasoning"],
}


def mme():
    answers, golden = [], {}
    for group, tasks in TASKS.items():
        total = 0
        for task in tasks:
            images, rights, pairs = 8, [], []
            for i in range(images):
                lines, both = [], []
                for j, label in enumerate(("Yes", "No")):
                    gap = "  " if task == "artwork" and i % 2 else " "
                    own = f"Is it {i}-{j}?{gap}Please answer yes or no."
                    lines.append(f"{own}\t{label}")
                    text = draw.choice(["Yes", "No", "yes", "no.", "Nope", "Not", "Maybe yes", "I don't know", "The no"])
                    said = "yes" if "yes" in text.lower()[:4] else "no" if "no" in text.lower()[:4] else "other"
                    both.append(said == label.lower())
                    prompt = f"Is it {i}-{j}?\nAnswer the question using a single word or phrase."
                    folder = "images/" if task in ("posters", "artwork") else ""
                    answers.append({"question_id": f"{task}/{folder}{i:04d}.jpg", "prompt": prompt, "text": text, "answer_id": "x", "model_id": "oracle", "metadata": {}})  # fmt: skip
                # Two tasks as the benchmark comes, the others as its evaluation tool has them, in one file.
                inner = "questions_answers_YN/" if task == "artwork" else ""
                release = FOLDER / "MME" / "MME_Benchmark_release_version" / task / f"{inner}{i:04d}.txt"
                own = FOLDER / "MME" / "eval_tool" / "Your_Results" / f"{task}.txt"
                path = release if task in ("existence", "artwork") else own
                path.parent.mkdir(parents=True, exist_ok=True)
                with path.open("a") as file:
                    file.writelines(line + "\n" if path == release else f"{i:04d}.jpg\t{line}\n" for line in lines)
                rights += both
                pairs.append(all(both))
            score = sum(rights) / len(rights) * 100 + sum(pairs) / images * 100
            golden[task] = f"{score:.2f}"
            total += score
        golden[group] = f"{total:.2f}"
    write_lines(FOLDER / "MME" / "answers.jsonl", answers)
    return golden


def seed():
    types = {"Scene Understanding": 1, "Instance Identity": 2, "Action Recognition": 10}
    questions, answers = [], []
    for i in range(60):
        kind = draw.choice([1, 2, 10])
        name = f"v{i}" if i % 9 == 0 else str(1000 + i)
        questions.append({"question_id": name, "question_type_id": kind, "data_type": "video" if kind == 10 else "image", "answer": draw.choice("ABCD")})  # fmt: skip
        if i % 11 == 4:
            continue
        text = draw.choice([draw.choice("ABCD")] * 4 + ["A.", "b", " C"])
        answers.append({"question_id": name if i % 9 == 0 else int(name), "prediction": text})
    write_json(FOLDER / "seed_bench" / "SEED-Bench.json", {"questions": questions, "question_type": types})
    write_lines(FOLDER / "seed_bench" / "answers.jsonl", answers)
    said = {str(row["question_id"]): row["prediction"] for row in answers}

    def accuracy(rows):
        return f"{sum(said.get(row['question_id']) == row['answer'] for row in rows) / len(rows) * 100:.2f}"

    golden = {kind: accuracy([row for row in questions if row["data_type"] == kind]) for kind in ("image", "video")}
    golden["total"] = accuracy(questions)
    for name, kind in types.items():
        golden[name] = accuracy([row for row in questions if row["question_type_id"] == kind])
    return golden


def gqa():
    questions, answers, right = {}, [], {"open": [], "binary": []}
    for i in range(60):
        label = draw.choice(["yes", "no", "cat", "left", "t-shirt"])
        structural = draw.choice(["query", "verify", "logical", "choose", "compare"])
        questions[f"{i:06d}"] = {"question": "…", "answer": label, "isBalanced": True, "types": {"structural": structural}}
        text = draw.choice([label, label.title() + ".", label.upper() + "..", "a " + label, "no", "Cat"])
        answers.append({"question_id": f"{i:06d}", "prompt": "…", "text": text, "answer_id": "x", "model_id": "oracle", "metadata": {}})
        right["open" if structural == "query" else "binary"].append(text.rstrip(".").lower() == label)
    write_json(FOLDER / "gqa" / "data" / "testdev_balanced_questions.json", questions)
    write_lines(FOLDER / "gqa" / "answers.jsonl", answers)
    both = right["open"] + right["binary"]
    return {name: f"{sum(some) / len(some) * 100:.2f}" for name, some in (("accuracy", both), *right.items())}


def vqa(title):
    rows, answers, scores = [], [], {"accuracy": []}
    for i in range(60):
        people = [draw.choice(WORDS[:24]) for _ in range(draw.choice([1, 2, 4]))]
        ten = [draw.choice(people) for _ in range(10)]
        kind = draw.choice(["yes/no", "number", "other"])
        name = f"VizWiz_val_{i:08d}.jpg" if title == "vizwiz" else 1000 + i
        rows.append({"image" if title == "vizwiz" else "question_id": name, "answers": [{"answer": one} for one in ten], "answer_type": kind})
        text = draw.choice([draw.choice(ten), draw.choice(WORDS)])
        answers.append({"question_id": name, "prompt": "…", "text": text, "answer_id": "x", "model_id": "oracle", "metadata": {}})
        given = digits_and_articles(punctuation(normalize(text)))
        theirs = ten if len(set(ten)) == 1 else [punctuation(one) for one in ten]
        score = soft(theirs, given)
        scores["accuracy"].append(score)
        scores.setdefault(kind, []).append(score)
    if title == "vizwiz":
        write_json(FOLDER / "vizwiz" / "val.json", rows)
    else:
        write_json(FOLDER / "vqav2" / "v2_mscoco_val2014_annotations.json", {"annotations": rows})
    write_lines(FOLDER / title / "answers.jsonl", answers)
    return {name: f"{sum(some) / len(some) * 100:.2f}" for name, some in scores.items()}


def mm_vet():
    samples = {f"v1_{i}": {"capability": draw.sample(["rec", "ocr", "know", "gen", "spat", "math"], draw.randrange(1, 4))} for i in range(40)}
    grades = {name: {"model": [], "content": [], "score": [draw.randrange(11) / 10 for _ in range(3)]} for name in list(samples)[:38]}
    write_json(FOLDER / "mm-vet" / "mm-vet.json", samples)
    write_json(FOLDER / "mm-vet" / "answers.json", grades)
    golden = {}
    for name in ("total", "rec", "ocr", "know", "gen", "spat", "math"):
        own = [one for one, sample in samples.items() if name == "total" or name in sample["capability"]]
        runs = [sum(grades[one]["score"][run] for one in own if one in grades) / len(own) * 100 for run in range(3)]
        golden[name] = f"{sum(runs) / 3:.1f}"
    return golden


def llava_bench():
    rows = []
    for i in range(30):
        pair = [-1, -1] if i % 12 == 7 else [float(draw.randrange(6, 11)), float(draw.choice([3, 5, 6, 6.5, 7, 8, 8.5]))]
        rows.append({"id": i + 1, "question_id": i, "category": draw.choice(["llava_bench_conv", "llava_bench_detail", "llava_bench_complex"]), "content": "…", "tuple": pair})  # fmt: skip
    write_lines(FOLDER / "llava-bench-in-the-wild" / "answers.jsonl", rows)
    golden = {}
    for name in ("all", "llava_bench_complex", "llava_bench_conv", "llava_bench_detail"):
        own = [row["tuple"] for row in rows if name in ("all", row["category"])]
        first, second = (round(sum(pair[place] for pair in own) / len(own), 3) for place in (0, 1))
        golden[name] = str(round(second / first * 100, 1))
    return golden


def rounding():
    values = [0.5, 1.5, 2.5, 0.125, 0.375, 2.675, 1.005, 71.645, 1e-9, 99.995, 0.0625, -0.5, -2.5, -0.125, 12345.6785, 1 / 3]
    values += [draw.random() * 100 for _ in range(50)] + [draw.randrange(2000) / 16 for _ in range(50)]
    write_json(FOLDER / "rounding.json", [[value, digits, f"{value:.{digits}f}"] for value in values for digits in (0, 1, 2, 3)])


shutil.rmtree(FOLDER, ignore_errors=True)
normalizer()
rounding()
golden = {
    "textvqa": text_vqa(),
    "pope": pope(),
    "scienceqa": science_qa(),
    "mme": mme(),
    "seed": seed(),
    "gqa": gqa(),
    "vqav2": vqa("vqav2"),
    "vizwiz": vqa("vizwiz"),
    "mm-vet": mm_vet(),
    "llava-bench": llava_bench(),
}
(FOLDER / "golden.json").write_text(json.dumps(golden, indent=1) + "\n")
