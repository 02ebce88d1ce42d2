/**
 * The syntax that nginx and SRS share: `name arguments;`, `name arguments { … }`, `#` comments, quoted arguments. Pure.
 * nginx: https://nginx.org/en/docs/beginners_guide.html#conf_structure; SRS: https://ossrs.io/lts/en-us/docs/v6/doc/introduction
 */

/** One directive. `children` is null for those without a block. */
export type Directive = {
  readonly name: string;
  readonly args: readonly string[];
  readonly children: readonly Directive[] | null;
};

/** The text breaks the syntax; the message says where. */
export class ConfigSyntaxError extends Error {
  override readonly name = 'ConfigSyntaxError';
}

/** Blocks within blocks beyond this are refused. */
export const BLOCK_DEPTH_MAX = 32;

const TOKEN = /\s+|#[^\n]*|"((?:[^"\\]|\\.)*)"|'((?:[^'\\]|\\.)*)'|([;{}])|((?:\$\{[^}]*\}|[^\s;{}"'])+)/gy;

/** Directives of a file, in order. Throws {@link ConfigSyntaxError}. */
export function parseBlockConfig(text: string): Directive[] {
  const root: Directive[] = [];
  const open: Directive[][] = [root];
  let words: string[] = [];
  for (const { mark, word, line } of tokensOf(text)) {
    const into = open.at(-1) ?? root;
    if (word !== undefined) words.push(word);
    else if (mark === '}') {
      if (words.length > 0 || open.length === 1) throw new ConfigSyntaxError(`line ${line}: unexpected }`);
      open.pop();
    } else {
      const [name, ...args] = words;
      words = [];
      if (name === undefined) throw new ConfigSyntaxError(`line ${line}: ${mark} without a name`);
      const children: Directive[] | null = mark === '{' ? [] : null;
      into.push({ name, args, children });
      if (children !== null) open.push(children);
      if (open.length > BLOCK_DEPTH_MAX) throw new ConfigSyntaxError(`line ${line}: blocks are nested too deeply`);
    }
  }
  if (open.length > 1 || words.length > 0) throw new ConfigSyntaxError('the file ends within a block or a directive');
  return root;
}

function* tokensOf(text: string): Generator<{ mark?: string; word?: string; line: number }> {
  TOKEN.lastIndex = 0;
  let line = 1;
  while (TOKEN.lastIndex < text.length) {
    const match = TOKEN.exec(text);
    if (match === null) throw new ConfigSyntaxError(`line ${line}: cannot be read`);
    const [whole, double, single, mark, bare] = match;
    const word = double ?? single ?? bare;
    if (mark !== undefined) yield { mark, line };
    else if (word !== undefined) yield { word, line };
    line += whole.split('\n').length - 1;
  }
}

/** All directives of a name, however deep, in order. */
export function findDirectives(tree: readonly Directive[], name: string): Directive[] {
  return tree.flatMap((one) => [...(one.name === name ? [one] : []), ...findDirectives(one.children ?? [], name)]);
}
