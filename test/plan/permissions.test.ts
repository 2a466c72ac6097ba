import { expect, test } from '@jest/globals';
import { isOpenToAll } from '../../src/plan/permissions.js';

test.each<[string, string]>([
  // As Windows Server 2016 gives it to a folder that is made below C:\\.
  [
    'a folder below C:\\',
    'O:BAG:DUD:AI(A;OICIID;FA;;;BA)(A;OICIID;FA;;;SY)(A;OICIID;0x1200a9;;;BU)(A;CIID;LC;;;BU)(A;CIID;DC;;;BU)(A;ID;0x1301bf;;;AU)(A;OICIIOID;SDGXGWGR;;;AU)',
  ],
  ['users may put files there', 'D:(A;CIID;DC;;;BU)'],
  ['everybody, by SID', 'D:(A;;FA;;;S-1-1-0)'],
  ['domain users', 'D:(A;;0x1301bf;;;S-1-5-21-1004336348-1177238915-682003330-513)'],
  ['who may open it for themselves', 'D:(A;;WD;;;IU)'],
  ['who may take it over', 'D:(A;;WO;;;AU)'],
  ['all, by the generic right', 'D:(A;OICI;GA;;;WD)'],
  ['a conditional entry', 'D:(XA;;FA;;;BU;(@User.Title=="PM"))'],
  ['a list after a system list’s owner', 'O:SYG:SYD:PAI(A;;FA;;;SY)(A;;FW;;;BU)S:AI(AU;SA;FA;;;WD)'],
  ['no list at all', 'O:BAG:SY'],
  ['an empty access control', 'O:BAG:SYD:NO_ACCESS_CONTROL'],
])('open: %s', (_, sddl) => {
  expect([isOpenToAll(sddl, 'folder'), isOpenToAll(sddl, 'program')]).toEqual([true, true]);
});

test.each<[string, string]>([
  [
    'C:\\Program Files',
    'O:S-1-5-80-956008885-3418522649-1831038044-1853292631-2271478464D:PAI(A;OICIIO;GA;;;CO)(A;OICI;FA;;;SY)(A;;0x1301bf;;;SY)(A;;0x1301bf;;;BA)(A;OICI;0x1200a9;;;BU)(A;OICIIO;GXGR;;;BU)',
  ],
  ['nobody at all', 'O:BAG:SYD:PAI'],
  ['an account of its own', 'D:PAI(A;;FA;;;S-1-5-21-1004336348-1177238915-682003330-1104)'],
  ['only for what will be made in it', 'D:PAI(A;OICIIO;FA;;;BU)'],
  ['a ban', 'D:PAI(D;;FA;;;WD)(A;;FA;;;SY)'],
  ['reading alone', 'D:PAI(A;;FR;;;WD)(A;;FX;;;WD)(A;;0x1200a9;;;AU)'],
  ['who is watched, not who may', 'D:PAI(A;;FA;;;SY)S:AI(AU;SAFA;FA;;;WD)'],
])('closed: %s', (_, sddl) => {
  expect([isOpenToAll(sddl, 'folder'), isOpenToAll(sddl, 'program')]).toEqual([false, false]);
});

test('folders in a folder harm nothing; more bytes in a file do', () => {
  expect(isOpenToAll('D:(A;CI;LC;;;BU)', 'folder')).toBe(false);
  expect(isOpenToAll('D:(A;;LC;;;BU)', 'program')).toBe(true);
});

test('further up, files may be put beside; but the way down may be neither taken nor moved', () => {
  const programData =
    'D:PAI(A;OICIIO;GA;;;CO)(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)(A;OICI;0x1200a9;;;BU)(A;CI;DCLCRPCR;;;BU)';
  expect(isOpenToAll(programData, 'above')).toBe(false);
  expect(isOpenToAll(programData, 'folder')).toBe(true);
  for (const rights of ['FA', 'GA', 'SD', 'DT', 'WD', 'WO', '0x1301bf'])
    expect(isOpenToAll(`D:(A;;${rights};;;BU)`, 'above')).toBe(true);
});
