// Conversations under the days they were last used: today, yesterday, the last week and month, then by month. Knows no page.
import type { ConversationSummary } from "#chat/persistence/persistence.ts";
import type { Texts } from "#ui/texts/texts.ts";

export interface DayGroup {
  readonly title: string;
  readonly conversations: readonly ConversationSummary[];
}

/** In the order in which they come; no group is empty. */
export function groupByDay(t: Texts, conversations: readonly ConversationSummary[], now: Date): readonly DayGroup[] {
  const groups = new Map<string, ConversationSummary[]>();
  for (const one of conversations) {
    const title = dayTitle(t, one.updatedAt, now);
    groups.set(title, [...(groups.get(title) ?? []), one]);
  }
  return [...groups].map(([title, grouped]) => ({ title, conversations: grouped }));
}

function dayTitle(t: Texts, time: number, now: Date): string {
  // Older versions noted no time.
  if (time === 0) return t.history.earlier;
  const date = new Date(time);
  const days = Math.round((startOfDay(now) - startOfDay(date)) / 86_400_000);
  // A clock that was set back must not make a day of its own.
  if (days <= 0) return t.history.today;
  if (days === 1) return t.history.yesterday;
  if (days <= 7) return t.history.lastDays(7);
  if (days <= 30) return t.history.lastDays(30);
  return date.toLocaleDateString(t.tag, { month: "long", year: "numeric" });
}

function startOfDay(date: Date): number {
  return new Date(date.getFullYear(), date.getMonth(), date.getDate()).getTime();
}

/** The time of today and yesterday, else the day; nothing where it was not noted. */
export function formatWhen(t: Texts, time: number, now: Date): string {
  if (time === 0) return "";
  const date = new Date(time);
  const days = Math.round((startOfDay(now) - startOfDay(date)) / 86_400_000);
  const options: Intl.DateTimeFormatOptions =
    days <= 1
      ? { hour: "numeric", minute: "2-digit" }
      : { day: "numeric", month: "short", ...(date.getFullYear() === now.getFullYear() ? {} : { year: "numeric" }) };
  return date.toLocaleString(t.tag, options);
}
