// The top of a page beside the chat: the mark, which leads to the chat, and the page's title.
import type { ComponentChildren, JSX } from "preact";
import { LogoMark } from "#ui/parts/icons.tsx";

interface PageHeaderProps {
  readonly title: string;
  readonly toChat: string;
  /** What stands at the right. */
  readonly children?: ComponentChildren;
}

export function PageHeader({ title, toChat, children }: PageHeaderProps): JSX.Element {
  return (
    <header class="page-header">
      <a class="page-home" href="../" aria-label={toChat} title={toChat}>
        <LogoMark />
      </a>
      <h1>{title}</h1>
      <span class="page-header-space" />
      {children}
    </header>
  );
}
