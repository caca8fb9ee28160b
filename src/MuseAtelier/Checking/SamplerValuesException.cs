namespace MuseAtelier;

/// <summary>A file that does not hold reference values of samplers in the form that <see cref="SamplerCheck"/> reads.</summary>
internal sealed class SamplerValuesException(string path, string found, string expected, Exception? inner = null)
    : ReferenceException(
        path, found, expected, "Take a file of this form, or fetch it again; docs/requests.md describes it.", inner);
