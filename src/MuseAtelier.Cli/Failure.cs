namespace MuseAtelier.Cli;

/// <summary>What a failure is in one line.</summary>
internal static class Failure
{
    /// <summary>The variable that has the stack trace of a failure printed, for reports.</summary>
    public const string TraceVariable = "MUSE_TRACE";

    /// <summary>Says what failed on the terminal's stderr, in one line; with <see cref="TraceVariable"/> set, the stack trace before it.</summary>
    public static void Write(Terminal terminal, Exception exception)
    {
        if (Environment.GetEnvironmentVariable(TraceVariable) is { Length: > 0 } and not "0") terminal.Error.WriteLine(exception);
        terminal.WriteNotice("error", Describe(exception));
    }

    /// <summary>The line for an exception.</summary>
    internal static string Describe(Exception exception) => exception switch
    {
        MuseAtelierException => exception.Message,
        // Relative paths have no meaning there, which .NET says in words that name no path.
        _ when WorkingFolder.IsGone => WorkingFolder.Message,
        IOException or UnauthorizedAccessException => exception.Message,
        OutOfMemoryException => "the system gave no more memory; expected enough for the work. Close other programs, raise the limit of memory (muse doctor shows what there is), or paint a smaller picture.",
        TypeInitializationException or AggregateException or System.Reflection.TargetInvocationException when exception.InnerException is { } inner => Describe(inner),
        _ => $"unexpected {exception.GetType().Name}: {exception.Message.TrimEnd('.')}. This is a fault of muse: please report it with what muse prints when the variable {TraceVariable} is 1.",
    };
}
