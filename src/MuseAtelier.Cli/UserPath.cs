using System.CommandLine;

namespace MuseAtelier.Cli;

/// <summary>Paths as users write them in options and variables, where no shell puts the home folder in the place of <c>~</c>.</summary>
internal static class UserPath
{
    /// <summary>An option whose value is a path.</summary>
    /// <param name="name">The option's name.</param>
    /// <param name="aliases">Its other names.</param>
    public static Option<string?> Option(string name, params string[] aliases) => new(name, aliases)
    {
        CustomParser = result =>
        {
            try
            {
                return Expand(name, result.Tokens[0].Value);
            }
            catch (UserPathException exception)
            {
                result.AddError(exception.Message);
                return null;
            }
        },
    };

    /// <summary>A variable's path; null where it is not set, or empty.</summary>
    /// <exception cref="UserPathException">It is no path.</exception>
    public static string? Variable(string name) => Environment.GetEnvironmentVariable(name) is { Length: > 0 } path ? Expand(name, path) : null;

    /// <summary>The path with the user's home folder in the place of a leading <c>~</c>.</summary>
    /// <param name="source">What the path was given by, for messages.</param>
    /// <param name="path">The path as it was given.</param>
    /// <exception cref="UserPathException">It names another user's home folder, the home folder is not known, or it is no text.</exception>
    internal static string Expand(string source, string path)
    {
        if (!Unicode.IsText(path)) throw new UserPathException(source, path, "is no text in UTF-8", "a path in UTF-8", $"Set the terminal's encoding and LANG to UTF-8 where {source} is set.");
        if (path.Length == 0 || path[0] != '~') return path;
        if (path.Length > 1 && path[1] != '/' && path[1] != Path.DirectorySeparatorChar)
            throw new UserPathException(source, path, "begins with ~", "a path, or ~/ for one below the own home folder", $"Write the whole path; for a file of that very name, ./{path}.");
        string home = Environment.GetFolderPath(Environment.SpecialFolder.UserProfile, Environment.SpecialFolderOption.DoNotVerify);
        if (home.Length == 0) throw new UserPathException(source, path, "begins with ~, and no home folder is known", "the variable HOME, or a whole path", "Write the whole path.");
        return path.Length <= 2 ? home : Path.Combine(home, path[2..]);
    }
}

/// <summary>A path cannot be used as it was written.</summary>
internal sealed class UserPathException(string source, string path, string found, string expected, string remedy)
    : MuseAtelierException($"{source} is '{path}', which {found}", expected, remedy);
