/** A command with a text of many lines below it, which must not be read as words. Pure. */
import { begins } from './grammar.js';
import { normalize, unmarked } from './normalize.js';

/** The commands that take one. */
const TAKES_TEXT = 'check-manifest';

/** The command's words, ready to be parsed, and what was pasted below them; empty when nothing was. */
export function splitPasted(text: string): { words: string; pasted: string } {
  const end = text.search(/\n|```/);
  const words = end === -1 ? '' : normalize(text.slice(0, end));
  if (!begins(TAKES_TEXT, words)) return { words: normalize(text), pasted: '' };
  return { words, pasted: unfenced(unmarked(text.slice(end))) };
}

/** Without the marks of a code block, which may stand on lines of their own. */
function unfenced(text: string): string {
  const block = /^\s*```(?:(?:ya?ml|json)?[ \t]*\n)?([\s\S]*?)```[^`]*$/.exec(text)?.[1];
  return (block ?? text.replace(/^\n/, '')).trimEnd();
}
