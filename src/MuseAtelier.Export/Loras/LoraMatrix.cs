namespace MuseAtelier.Export.Loras;

/// <summary>
/// A matrix that follows from tensors of a LoRA, and is never computed as a whole: readers give its rows block by block. A convolution
/// [out, in, kernel, kernel] counts as a matrix of out rows.
/// </summary>
/// <param name="rows">Number of rows.</param>
/// <param name="columns">Number of columns.</param>
internal abstract class LoraMatrix(int rows, int columns)
{
    /// <summary>Number of rows.</summary>
    public int Rows { get; } = rows;

    /// <summary>Number of columns.</summary>
    public int Columns { get; } = columns;

    /// <summary>Prepares reading on one thread.</summary>
    public abstract LoraMatrixReader Open();
}

/// <summary>Reads the rows of a <see cref="LoraMatrix"/> on one thread. The creator disposes it.</summary>
internal abstract class LoraMatrixReader : IDisposable
{
    /// <summary>Adds scale * rows to a block.</summary>
    /// <param name="firstRow">The matrix's row that belongs to the block's first one.</param>
    /// <param name="block">The block. All its rows are rows of the matrix.</param>
    /// <param name="scale">The factor.</param>
    public abstract void Add(int firstRow, RowBlock block, float scale);

    /// <inheritdoc/>
    public abstract void Dispose();
}
