// The lint rule that asks for a reason where a function is long: the comment before it says "Longer than most functions: …".
const mostLines = 80;

const says = ({ value }) => /\blonger[\s*]+than\b/i.test(value);

/** @type {import("eslint").Rule.RuleModule} */
export const longFunction = {
  meta: {
    type: "suggestion",
    schema: [],
    messages: {
      long: `A function of {{lines}} lines: split it, or say why not in the comment before it ("Longer than most functions: …").`,
    },
  },
  create(context) {
    const { sourceCode } = context;
    const check = (node) => {
      const lines = node.loc.end.line - node.loc.start.line + 1;
      if (lines <= mostLines) return;
      // The comment stands before the statement, member or export that the function is in.
      for (let holder = node; holder.type !== "Program"; holder = holder.parent) {
        if (holder !== node && /Function|Block/.test(holder.type)) break;
        if (sourceCode.getCommentsBefore(holder).some(says)) return;
      }
      context.report({ node, messageId: "long", data: { lines: String(lines) } });
    };
    return { FunctionDeclaration: check, FunctionExpression: check, ArrowFunctionExpression: check };
  },
};
