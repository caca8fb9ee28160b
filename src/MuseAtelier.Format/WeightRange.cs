namespace MuseAtelier.Format;

/// <summary>
/// A range of bytes in a file of a package. It identifies a weight or a stage's weights: two components that name equal ranges of one
/// package read the same bytes and can share one copy of them.
/// </summary>
/// <param name="File">Name of the file within the package.</param>
/// <param name="Offset">The first byte, counted from the start of the file.</param>
/// <param name="Length">Number of bytes.</param>
internal readonly record struct WeightRange(string File, long Offset, long Length)
{
    /// <summary>The first byte after the range, counted from the start of the file.</summary>
    public long End => Offset + Length;
}
