import { parseSync } from '@swc/core';

/**
 * The string and template literals of a TypeScript source that may reach a reader, a `…` for each expression within: not those of
 * imports and types, of log lines, and of errors that are thrown for operators.
 */
export function literals(source: string): string[] {
  return collect(parseSync(source, { syntax: 'typescript', target: 'es2022' }).body);
}

type Syntax = Readonly<Record<string, unknown>>;

function isSyntax(value: unknown): value is Syntax {
  return typeof value === 'object' && value !== null;
}

function collect(value: unknown): string[] {
  if (Array.isArray(value)) return value.flatMap(collect);
  if (!isSyntax(value)) return [];
  switch (value['type']) {
    case 'ImportDeclaration':
    case 'ExportNamedDeclaration':
    case 'TsLiteralType':
      return [];
    case 'StringLiteral':
      return [String(value['value'])];
    case 'TemplateLiteral': {
      const parts = value['quasis'] as { cooked?: string }[];
      return [parts.map((part) => part.cooked ?? '').join('…'), ...collect(value['expressions'])];
    }
    case 'CallExpression':
      return isLogging(value['callee']) ? [] : collect(Object.values(value));
    case 'NewExpression':
      return isNamed(value['callee'], /Error$/) ? [] : collect(Object.values(value));
    default:
      return collect(Object.values(value));
  }
}

/** `log.warn`, `deps.log.error`, … */
function isLogging(callee: unknown): boolean {
  if (!isSyntax(callee) || callee['type'] !== 'MemberExpression') return false;
  const { object } = callee;
  return isNamed(object, /^log$/) || (isSyntax(object) && isNamed(object['property'], /^log$/));
}

function isNamed(name: unknown, pattern: RegExp): boolean {
  return isSyntax(name) && name['type'] === 'Identifier' && pattern.test(String(name['value']));
}
