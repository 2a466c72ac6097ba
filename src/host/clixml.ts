/** PowerShell's stderr, made readable. Pure. */

/** Windows PowerShell writes errors and progress as XML when its streams are redirected: keeps the errors' text, drops the rest. */
export function readable(printed: string): string {
  return printed.replace(/#< CLIXML\s*(<Objs[\s\S]*?<\/Objs>)?/g, (_all, objects: string | undefined) =>
    [...(objects ?? '').matchAll(/<S S="Error">([\s\S]*?)<\/S>/g)]
      .map(([, text = '']) => decode(text))
      .join(''),
  );
}

function decode(text: string): string {
  return text
    .replace(/_x([0-9A-F]{4})_/g, (_all, code: string) => String.fromCharCode(Number.parseInt(code, 16)))
    .replace(/\r\n/g, '\n')
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&quot;', '"')
    .replaceAll('&apos;', "'")
    .replaceAll('&amp;', '&');
}
