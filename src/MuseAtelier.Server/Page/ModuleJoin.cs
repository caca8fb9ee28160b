using System.Text;
using System.Text.RegularExpressions;

namespace MuseAtelier.Server.Page;

/// <summary>
/// Joins modules of JavaScript into one script: each module becomes a function that runs once, after those that it imports, and returns
/// what it exports. It reads the forms of import and export that the page uses, refuses all others, and needs modules that do not import
/// each other in a circle.
/// </summary>
/// <param name="read">Reads a module by its file name.</param>
internal sealed partial class ModuleJoin(Func<string, string> read)
{
    private readonly StringBuilder _script = new();
    private readonly HashSet<string> _begun = new(StringComparer.Ordinal);
    private readonly HashSet<string> _done = new(StringComparer.Ordinal);

    /// <summary>The file names of the modules that were joined.</summary>
    public IReadOnlySet<string> Joined => _done;

    /// <summary>Joins a module and all that it imports.</summary>
    /// <param name="name">The file name of the module.</param>
    /// <exception cref="InvalidDataException">A module has a form that cannot be joined.</exception>
    public string Join(string name)
    {
        Add(name);
        return _script.ToString();
    }

    private void Add(string name)
    {
        if (_done.Contains(name)) return;
        if (!_begun.Add(name)) throw Refused(name, "it imports itself by way of others", "modules without circles");
        string text = read(name);
        foreach (Match import in Import().Matches(text)) Add(import.Groups["from"].Value);
        string[] exports = [.. Export().Matches(text).Select(match => match.Groups["name"].Value)];
        string body = Export().Replace(Import().Replace(text, Binding), "${kind} ${name}");
        if (Left().Match(body) is { Success: true } left)
            throw Refused(name, $"\"{left.Value}\"", "imports of names and exports of functions, classes and constants");
        _script.Append("const ").Append(Variable(name)).Append(" = (() => {\n").Append(body);
        _script.Append("\nreturn { ").AppendJoin(", ", exports).Append(" };\n})();\n");
        _done.Add(name);
    }

    private static string Binding(Match import)
    {
        string module = Variable(import.Groups["from"].Value);
        if (import.Groups["all"] is { Success: true } all) return $"const {all.Value} = {module};";
        if (import.Groups["names"] is { Success: true } names)
            return $"const {{{names.Value.Replace(" as ", ": ", StringComparison.Ordinal)}}} = {module};";
        return "";
    }

    private static string Variable(string name) => "$" + Path.GetFileNameWithoutExtension(name).Replace('-', '_');

    private static InvalidDataException Refused(string name, string found, string expected) =>
        new($"The page's module {name} cannot be joined with the others: found {found}, expected {expected}. Change the module.");

    [GeneratedRegex("""^import (?:(?:\* as (?<all>\w+)|\{(?<names>[^}]*)\}) from )?'\./(?<from>[\w-]+\.js)';""", RegexOptions.Multiline)]
    private static partial Regex Import();

    [GeneratedRegex(@"^export (?<kind>(?:async )?function|class|const) (?<name>\w+)", RegexOptions.Multiline)]
    private static partial Regex Export();

    [GeneratedRegex(@"^(?:import|export|await)\b.*|(?<!\{)\bimport\(.*", RegexOptions.Multiline)]
    private static partial Regex Left();
}
