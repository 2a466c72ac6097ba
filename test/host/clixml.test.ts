import { expect, test } from '@jest/globals';
import { readable } from '../../src/host/clixml.js';

const PROGRESS =
  '<Obj S="progress" RefId="0"><TN RefId="0"><T>System.Management.Automation.PSCustomObject</T></TN><MS><I64 N="SourceId">1</I64></MS></Obj>';

test.each<[string, string, string]>([
  ['plain text', 'welcome\nRTNETLINK answers: File exists', 'welcome\nRTNETLINK answers: File exists'],
  ['progress only', `#< CLIXML\r\n<Objs Version="1.1.0.1" xmlns="x">${PROGRESS}</Objs>`, ''],
  [
    'an error between progress and other text',
    `a\n#< CLIXML\r\n<Objs Version="1.1.0.1" xmlns="x">${PROGRESS}<S S="Error">&lt;no&gt; &amp;lt; route_x000D__x000A_</S><S S="Error">at line 1</S></Objs>\nb`,
    'a\n<no> &lt; route\nat line 1\nb',
  ],
  ['a beginning without an end', '#< CLIXML\r\n', ''],
])('%s', (_name, printed, expected) => {
  expect(readable(printed)).toBe(expected);
});
