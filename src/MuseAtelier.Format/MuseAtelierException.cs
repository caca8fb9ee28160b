namespace MuseAtelier;

/// <summary>The base of every failure that MuseAtelier itself reports: what was found, what was expected and what to do.</summary>
public abstract class MuseAtelierException : Exception
{
    /// <summary>Creates the exception. Its message is the three parts in one line.</summary>
    /// <param name="found">What was found, with the offending value or path.</param>
    /// <param name="expected">What would have been valid.</param>
    /// <param name="remedy">What the user can do about it.</param>
    /// <param name="inner">The exception that caused this one, if any.</param>
    protected MuseAtelierException(string found, string expected, string remedy, Exception? inner = null)
        : base(OneLine($"{found}; expected {expected}. {remedy}"), inner)
    {
        Found = OneLine(found);
        Expected = expected;
        Remedy = remedy;
    }

    /// <summary>What was found, with the offending value or path.</summary>
    public string Found { get; }

    /// <summary>What would have been valid.</summary>
    public string Expected { get; }

    /// <summary>What the user can do about it.</summary>
    public string Remedy { get; }

    // Names and values come from files and from other libraries, which may put line ends and other control characters into them.
    private static string OneLine(string text) =>
        text.Any(char.IsControl) ? string.Concat(text.Select(letter => char.IsControl(letter) ? ' ' : letter)) : text;
}
