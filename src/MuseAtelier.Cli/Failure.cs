using System.Reflection;
using MuseAtelier.Pictures;

namespace MuseAtelier.Cli;

/// <summary>Describes failures in one line.</summary>
internal static class Failure
{
    /// <summary>The environment variable that makes muse print the stack trace of a failure, for bug reports.</summary>
    public const string TraceVariable = "MUSE_TRACE";

    /// <summary>
    /// Writes the failure to the terminal's stderr in one line; if <see cref="TraceVariable"/> is set, the stack trace precedes it.
    /// </summary>
    public static void Write(Terminal terminal, Exception exception)
    {
        bool isTraced = Environment.GetEnvironmentVariable(TraceVariable) is { Length: > 0 } and not "0";
        if (isTraced) terminal.Error.WriteLine(exception);
        terminal.WriteNotice("error", Describe(exception));
    }

    /// <summary>The line for an exception.</summary>
    internal static string Describe(Exception exception) => exception switch
    {
        MuseAtelierException known => Describe(known),
        // Relative paths cannot be resolved in a deleted folder, and .NET's message for that names no path.
        _ when WorkingFolder.IsGone => WorkingFolder.Message,
        IOException or UnauthorizedAccessException => exception.Message,
        OutOfMemoryException =>
            "the system gave no more memory; expected enough for the work. Close other programs, raise the memory limit (muse doctor "
                + "shows the limits), or paint a smaller picture.",
        TypeInitializationException or AggregateException or TargetInvocationException when exception.InnerException is { } inner =>
            Describe(inner),
        _ => $"unexpected {exception.GetType().Name}: {exception.Message.TrimEnd('.')}. This is a fault of muse: please report it with "
            + $"the output of muse when the variable {TraceVariable} is 1.",
    };

    // The remedies of the library name its members, for which muse has options and commands.
    private static string Describe(MuseAtelierException exception) => exception switch
    {
        PictureExistsException => WithRemedy(exception, "Choose another name, or replace the file with --force."),
        SourceMissingException missing => WithRemedy(exception, NameItsFile(missing)),
        UpscalerMissingException { Sha256: not null } => WithRemedy(exception, "Name the file with --hires-upscaler."),
        PictureTextUnpaintableException => WithRemedy(
            exception, "Read it with muse info, and give prompt and settings to muse render."),
        _ => exception.Message,
    };

    private static string NameItsFile(SourceMissingException missing)
    {
        string file = missing.Name is null ? "its file" : $"its file, {missing.Name},";
        return $"Name {file} with {(missing.Role == "mask" ? "--mask" : "--from")}.";
    }

    // A message ends with its remedy.
    private static string WithRemedy(MuseAtelierException exception, string remedy) =>
        exception.Message[..^exception.Remedy.Length] + remedy;
}
