// A command line's words, as Windows' programs read them.
using System.Text;

namespace Lab;

static class CommandLine
{
    // CommandLineToArgvW: backslashes count only before a quote, a doubled quote within quotes is one.
    public static List<string> Split(string line)
    {
        var words = new List<string>();
        var word = new StringBuilder();
        bool quoted = false, any = false;
        for (var i = 0; i < line.Length; i++)
        {
            var slashes = 0;
            while (i < line.Length && line[i] == '\\') { slashes++; i++; }
            var quote = i < line.Length && line[i] == '"';
            word.Append('\\', quote ? slashes / 2 : slashes);
            if (i == line.Length) break;
            if (quote && slashes % 2 == 1) word.Append('"');
            else if (quote && quoted && i + 1 < line.Length && line[i + 1] == '"') { word.Append('"'); i++; }
            else if (quote) { quoted = !quoted; any = true; }
            else if (line[i] is ' ' or '\t' && !quoted)
            {
                if (any || word.Length > 0) words.Add(word.ToString());
                word.Clear();
                any = false;
            }
            else word.Append(line[i]);
        }
        if (any || word.Length > 0) words.Add(word.ToString());
        return words;
    }
}
