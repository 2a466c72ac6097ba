// JSON as 5.1 has it: depth 2 unless told, and < > & ' escaped.
using System.Collections;
using System.Globalization;
using System.Management.Automation;
using System.Text;
using System.Text.Json;

namespace Lab;

static class Json
{
    public static object Read(string text)
    {
        using var document = JsonDocument.Parse(text);
        return Value(document.RootElement);
    }

    static object Value(JsonElement e)
    {
        switch (e.ValueKind)
        {
            case JsonValueKind.Object:
                var o = new PSObject();
                foreach (var p in e.EnumerateObject()) o.Properties.Add(new PSNoteProperty(p.Name, Value(p.Value)));
                return o;
            case JsonValueKind.Array: return e.EnumerateArray().Select(Value).ToArray();
            case JsonValueKind.String: return e.GetString();
            case JsonValueKind.Number: return e.TryGetInt32(out var i) ? i : e.TryGetInt64(out var l) ? l : e.GetDecimal();
            case JsonValueKind.True: return true;
            case JsonValueKind.False: return false;
            default: return null;
        }
    }

    public static string Write(object value, int depth)
    {
        var text = new StringBuilder();
        Write(value, depth, text);
        return text.ToString();
    }

    static void Write(object value, int depth, StringBuilder text)
    {
        var inner = value is PSObject wrapped ? wrapped.BaseObject : value;
        switch (inner)
        {
            case null: text.Append("null"); return;
            case bool b: text.Append(b ? "true" : "false"); return;
            case string s: Quote(s, text); return;
            case Enum e: text.Append(Convert.ToInt64(e)); return;
            case DateTime d: text.Append($"\"\\/Date({new DateTimeOffset(d).ToUnixTimeMilliseconds()})\\/\""); return;
            case IFormattable n when inner.GetType().IsPrimitive || inner is decimal: text.Append(n.ToString(null, CultureInfo.InvariantCulture)); return;
        }
        if (depth < 0) { Quote(LanguagePrimitives.ConvertTo<string>(value), text); return; }
        var first = true;
        void Member(object name, object member)
        {
            text.Append(first ? "" : ",");
            first = false;
            Quote(name.ToString(), text);
            text.Append(':');
            Write(member, depth - 1, text);
        }
        if (inner is IDictionary map)
        {
            text.Append('{');
            foreach (DictionaryEntry entry in map) Member(entry.Key, entry.Value);
            text.Append('}');
        }
        else if (inner is IEnumerable items)
        {
            text.Append('[');
            foreach (var item in items) { text.Append(first ? "" : ","); first = false; Write(item, depth - 1, text); }
            text.Append(']');
        }
        else
        {
            text.Append('{');
            foreach (var p in PSObject.AsPSObject(value).Properties) Member(p.Name, p.Value);
            text.Append('}');
        }
    }

    static void Quote(string s, StringBuilder text)
    {
        text.Append('"');
        foreach (var c in s)
        {
            if (c is '"' or '\\') text.Append('\\').Append(c);
            else if (c < ' ' || c is '<' or '>' or '&' or '\'') text.Append($"\\u{(int)c:x4}");
            else text.Append(c);
        }
        text.Append('"');
    }
}
