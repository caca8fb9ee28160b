namespace MuseAtelier;

/// <summary>The native library of ONNX Runtime is missing, does not load, or has another version than this program needs.</summary>
public sealed class OnnxRuntimeLibraryException : MuseAtelierException
{
    private const string Reinstall =
        "Publish or unpack muse again with all of its files, for this system and processor (glibc, not musl, on Linux).";

    private const string WindowsRuntime =
        "Install the Microsoft Visual C++ Redistributable 2015-2022 (x64, 14.40 or newer), which ONNX Runtime needs on Windows; if it is "
            + "there already: ";

    private OnnxRuntimeLibraryException(string found, string remedy, Exception? inner)
        : base(found, FormattableString.Invariant($"ONNX Runtime 1.{Runtime.OnnxLibrary.LeastInterface} or newer beside the program"),
            remedy, inner)
    {
    }

    /// <summary>Creates the exception for a library that does not load, or that lacks a library that it needs.</summary>
    internal static OnnxRuntimeLibraryException Unloadable(Exception exception) =>
        new($"ONNX Runtime's library does not load ({Reason(exception)})", (OperatingSystem.IsWindows() ? WindowsRuntime : "") + Reinstall,
            exception);

    /// <summary>Creates the exception for another library of that name.</summary>
    /// <param name="file">The file, or a description of it.</param>
    /// <param name="version">The version that it reports; null if it reports none.</param>
    /// <param name="inner">The failure, if any.</param>
    internal static OnnxRuntimeLibraryException Foreign(string file, string? version, Exception? inner = null) => new(
        $"{file} is {(version is null ? "no ONNX Runtime that this program can use" : $"ONNX Runtime {version}")}",
        (OperatingSystem.IsWindows()
            ? "Windows loads its own, older onnxruntime.dll where the one beside the program does not load. " + WindowsRuntime
            : "") + Reinstall,
        inner);

    // The loader lists each name that it tried in a line of its own. Most do not exist, and the line of the one that exists has the reason.
    private static string Reason(Exception exception)
    {
        const string absent = "cannot open shared object file: No such file or directory", library = "onnxruntime";
        string[] lines = exception.Message.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        string? fault = Array.Find(lines[Math.Min(1, lines.Length)..],
            line => line.Contains(": ", StringComparison.Ordinal) && !IsGuess(line));
        bool isAbsent = fault is null && Array.Exists(lines, IsGuess);
        return isAbsent
            ? "there is no library of that name beside the program"
            : (fault ?? lines.FirstOrDefault() ?? exception.GetType().Name).TrimEnd('.', ':');

        static bool IsGuess(string line) =>
            line.EndsWith(absent, StringComparison.Ordinal) && line[..^absent.Length].Contains(library, StringComparison.Ordinal);
    }
}
