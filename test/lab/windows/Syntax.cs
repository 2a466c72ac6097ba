// What of the given scripts Windows PowerShell 5.1 can't parse, and which commands they call: JSON, one object a file.
using System.Management.Automation.Language;
using System.Text.Json;

namespace Lab;

static class Syntax
{
    static readonly HashSet<TokenKind> Newer =
    [
        TokenKind.AndAnd, TokenKind.OrOr, TokenKind.QuestionMark, TokenKind.QuestionQuestion, TokenKind.QuestionQuestionEquals,
        TokenKind.QuestionDot, TokenKind.QuestionLBracket, TokenKind.Clean,
    ];

    public static int Check(string[] files)
    {
        var report = files.Select(file =>
        {
            var text = File.ReadAllText(file);
            var ast = Parser.ParseInput(text, out var tokens, out var errors);
            var commands = ast.FindAll(a => a is CommandAst, true).Cast<CommandAst>().ToList();
            return new
            {
                file,
                errors = errors.Select(e => $"{e.Extent.StartLineNumber}: {e.Message}"),
                newer = tokens.Where(t => Newer.Contains(t.Kind)).Select(t => $"{t.Extent.StartLineNumber}: {t.Kind}"),
                ascii = text.All(c => c is '\n' or (>= ' ' and <= '~')),
                functions = ast.FindAll(a => a is FunctionDefinitionAst, true).Cast<FunctionDefinitionAst>().Select(f => f.Name),
                commands = commands.Where(c => c.GetCommandName() != null).Select(c => new
                {
                    name = c.GetCommandName(),
                    parameters = c.CommandElements.OfType<CommandParameterAst>().Select(p => p.ParameterName),
                }),
                exits = ast.FindAll(a => a is ExitStatementAst, true).Count(),
                globals = ast.FindAll(a => a is VariableExpressionAst v && v.VariablePath.IsGlobal, true).Select(a => a.Extent.Text).Distinct(),
                outputs = OutputsRead(ast),
                input = ast.FindAll(a => a is VariableExpressionAst v && v.VariablePath.UserPath == "input", true).Count(),
            };
        });
        Console.WriteLine(JsonSerializer.Serialize(report));
        return 0;
    }

    // The programs of whose output a script makes anything but words for people.
    static IEnumerable<string> OutputsRead(Ast script)
    {
        foreach (var function in script.FindAll(a => a is FunctionDefinitionAst, true))
        {
            var programs = function.FindAll(a => a is AssignmentStatementAst { Left: VariableExpressionAst }, true).Cast<AssignmentStatementAst>()
                .Select(a => (Name: ((VariableExpressionAst)a.Left).VariablePath.UserPath, Call: a.Right.Find(c => c is CommandAst k && k.GetCommandName() == "Start-Program", true) as CommandAst))
                .Where(a => a.Call != null).ToLookup(a => a.Name, a => a.Call.CommandElements[1].ToString());
            foreach (MemberExpressionAst member in function.FindAll(a => a is MemberExpressionAst { Static: false, Expression: VariableExpressionAst } m && m.Member.ToString() == "out", true))
            {
                Ast above = member;
                while (above != null && above is not ExpandableStringExpressionAst) above = above.Parent;
                if (above != null) continue;
                var name = ((VariableExpressionAst)member.Expression).VariablePath.UserPath;
                foreach (var program in programs[name].DefaultIfEmpty("?")) yield return $"{member.Extent.StartLineNumber}: {program}";
            }
        }
    }
}
