// Counts findings by kind and keeps the first examples of each, because a file can have millions. Knows no conversation.
import { findingKinds, type FindingKind } from "./finding-kinds.ts";

/** Where something was found; `item` and `line` count from 1. */
export interface Example {
  readonly file: string;
  readonly item: number;
  readonly line: number;
  readonly detail: string;
}

export interface Finding {
  readonly kind: FindingKind;
  readonly level: "error" | "warning";
  readonly title: string;
  readonly count: number;
  readonly examples: readonly Example[];
}

const longestDetail = 120;

export class Findings {
  private readonly groups = new Map<FindingKind, { count: number; readonly examples: Example[] }>();
  private readonly shown: number;
  /** `shown`: examples that are kept of each kind. */
  constructor(shown: number) {
    this.shown = shown;
  }

  add(kind: FindingKind, place: Omit<Example, "detail">, detail = "", count = 1): void {
    const group = this.groups.get(kind) ?? { count: 0, examples: [] };
    this.groups.set(kind, group);
    group.count += count;
    if (group.examples.length >= this.shown) return;
    const { file, item, line } = place;
    group.examples.push({
      file,
      item,
      line,
      detail: detail.length > longestDetail ? `${detail.slice(0, longestDetail)}…` : detail,
    });
  }

  /** Errors first, then in the order of the kinds. */
  list(): Finding[] {
    const all = Object.entries(findingKinds).flatMap(([name, { level, title }]): Finding[] => {
      const kind = name as FindingKind;
      const group = this.groups.get(kind);
      return group === undefined ? [] : [{ kind, level, title, ...group }];
    });
    return [...all.filter(({ level }) => level === "error"), ...all.filter(({ level }) => level === "warning")];
  }
}
