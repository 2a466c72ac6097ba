/** What is piped into a program. */

/** More than any list of nodes; whoever pipes in without an end is not read to it. */
const MOST = 1 << 20;

/** The text until its end, or enough of it to be too much; empty when somebody sits at a terminal. */
export async function readPiped(input: NodeJS.ReadStream): Promise<string> {
  if (input.isTTY) return '';
  input.setEncoding('utf8');
  let text = '';
  for await (const chunk of input) {
    text += String(chunk);
    if (text.length > MOST) break;
  }
  return text;
}
