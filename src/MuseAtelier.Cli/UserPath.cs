using System.CommandLine;

namespace MuseAtelier.Cli;

/// <summary>Paths that users write in options and variables. Shells do not expand <c>~</c> there, so this class does.</summary>
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

    /// <summary>An option that may be repeated, each time with a path.</summary>
    /// <param name="name">The option's name.</param>
    /// <param name="description">What its paths are.</param>
    /// <param name="helpName">What stands for a path in the help.</param>
    /// <param name="aliases">Its other names.</param>
    public static Option<string[]> Several(string name, string description, string helpName = "FOLDER", params string[] aliases) =>
        new(name, aliases)
        {
            Description = description,
            HelpName = helpName,
            CustomParser = result =>
            {
                try
                {
                    return [.. result.Tokens.Select(token => Expand(name, token.Value))];
                }
                catch (UserPathException exception)
                {
                    result.AddError(exception.Message);
                    return [];
                }
            },
        };

    /// <summary>The path in an environment variable; null if the variable is not set or empty.</summary>
    /// <exception cref="UserPathException">Its value is not a valid path.</exception>
    public static string? Variable(string name) =>
        Environment.GetEnvironmentVariable(name) is { Length: > 0 } path ? Expand(name, path) : null;

    /// <summary>Replaces a leading <c>~</c> by the user's home folder.</summary>
    /// <param name="source">The option or variable that holds the path, for messages.</param>
    /// <param name="path">The path as it was given.</param>
    /// <exception cref="UserPathException">
    /// The path names another user's home folder, the home folder is unknown, or the path is not valid UTF-8.
    /// </exception>
    internal static string Expand(string source, string path)
    {
        if (!Unicode.IsText(path))
        {
            throw new UserPathException(
                source,
                path,
                "is not valid UTF-8",
                "a path in UTF-8",
                $"Set the terminal's encoding and LANG to UTF-8 where {source} is set.");
        }

        if (path.Length == 0 || path[0] != '~') return path;
        if (path.Length > 1 && path[1] != '/' && path[1] != Path.DirectorySeparatorChar)
        {
            throw new UserPathException(
                source,
                path,
                "begins with ~",
                "a path, or ~/ for a path below your own home folder",
                $"Write the whole path; for a file with exactly this name, write ./{path}.");
        }

        string home = Environment.GetFolderPath(Environment.SpecialFolder.UserProfile, Environment.SpecialFolderOption.DoNotVerify);
        if (home.Length == 0)
        {
            throw new UserPathException(
                source,
                path,
                "begins with ~, and no home folder is known",
                "the variable HOME, or a whole path",
                "Write the whole path.");
        }
        return path.Length <= 2 ? home : Path.Combine(home, path[2..]);
    }
}

/// <summary>A path cannot be used as the user wrote it.</summary>
internal sealed class UserPathException(string source, string path, string found, string expected, string remedy)
    : MuseAtelierException($"{source} is '{path}', which {found}", expected, remedy);
