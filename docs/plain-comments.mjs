// A plugin of typedoc: comments of the sources are plain text, in which x[k], <x, y> and a * b are mathematics and no
// markup. Only code between backticks stays as it is. Not here: typedoc's options (typedoc.json).
import { Converter, ReflectionKind } from "typedoc";

const MARKUP = /[\\[\]<>*_~]/g;

function escapeParts(parts) {
  for (const part of parts) {
    // f[k](x) is no link either.
    if (part.kind === "relative-link") part.text = decodeURI(part.text);
    else if (part.kind !== "text") continue;
    part.kind = "text";
    part.text = part.text.replace(MARKUP, "\\$&");
  }
}

export function load({ converter }) {
  converter.on(Converter.EVENT_RESOLVE_BEGIN, ({ project }) => {
    const seen = new Set();
    for (const { comment } of project.getReflectionsByKind(ReflectionKind.All)) {
      if (comment === undefined || seen.has(comment)) continue;
      seen.add(comment);
      escapeParts(comment.summary);
      for (const tag of comment.blockTags) escapeParts(tag.content);
    }
  });
}
