using CommunityToolkit.HighPerformance.Buffers;
using MuseAtelier.Pictures.Containers;
using MuseAtelier.Pictures.Metadata;
using MuseAtelier.Pictures.Sheets;

namespace MuseAtelier.Pictures;

/// <summary>
/// Pictures in a grid with labels, such as those of a series over strengths or seeds, as one PNG file. Each picture is scaled down to at
/// most 512 px a side, or less where very many would make the sheet too large. The same pictures give the same bytes.
/// </summary>
public sealed class ContactSheet
{
    private const string Description = "Description";

    private readonly string _text;

    private ContactSheet(int width, int height, byte[] pixels, string text)
    {
        Width = width;
        Height = height;
        Pixels = pixels;
        _text = text;
    }

    /// <summary>The most pictures of a sheet.</summary>
    public static int MostCells => SheetLayout.MostCells;

    /// <summary>Width in px.</summary>
    public int Width { get; }

    /// <summary>Height in px.</summary>
    public int Height { get; }

    /// <summary>[Height, Width, 3] interleaved RGB, 8 bits a channel.</summary>
    public ReadOnlyMemory<byte> Pixels { get; }

    /// <summary>Composes a sheet.</summary>
    /// <param name="cells">The pictures, row by row; 1 to <see cref="MostCells"/>.</param>
    /// <param name="columns">The pictures of a row, from 1.</param>
    /// <exception cref="ArgumentException">There is no picture, or there are too many, or there is no column.</exception>
    public static ContactSheet Compose(IReadOnlyList<ContactSheetCell> cells, int columns)
    {
        ArgumentNullException.ThrowIfNull(cells);
        ArgumentOutOfRangeException.ThrowIfLessThan(columns, 1);
        if (cells.Count is < 1 or > SheetLayout.MostCells)
            throw new ArgumentException($"A sheet has 1 to {SheetLayout.MostCells} pictures, not {cells.Count}.", nameof(cells));
        var layout = SheetLayout.Of(cells, Math.Min(columns, cells.Count));
        return new ContactSheet(layout.Width, layout.Height, SheetPainter.Paint(cells, layout), SheetText.Describe(cells, layout.Columns));
    }

    /// <summary>Encodes the sheet as PNG.</summary>
    /// <param name="metadata">
    /// The metadata that the file gets; unless none, a text (<c>Description</c>) that names the pictures, and XMP that states that a model
    /// made them.
    /// </param>
    /// <returns>The bytes of the file, which are the caller's.</returns>
    /// <exception cref="PictureFileException">The sheet cannot be encoded.</exception>
    public byte[] Encode(MetadataLevel metadata = MetadataLevel.Full)
    {
        using ArrayPoolBufferWriter<byte> file = ToPooled("the contact sheet", metadata);
        return file.WrittenSpan.ToArray();
    }

    /// <summary>
    /// Writes the sheet as a PNG file, under a temporary name that becomes the file's name when everything is written. After a failure, no
    /// file is left behind.
    /// </summary>
    /// <param name="path">Path of the file, which ends with .png.</param>
    /// <param name="options">The options, of which the quality is not used; null means the defaults.</param>
    /// <returns>The written file.</returns>
    /// <exception cref="PictureFileException">The sheet cannot be written.</exception>
    public WrittenPicture Write(string path, PictureFileOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(path);
        options ??= new PictureFileOptions();
        if (PictureFormats.Of(path) != PictureFormat.Png) throw PictureFormatException.OfSheet(path);
        using ArrayPoolBufferWriter<byte> file = ToPooled(path, options.Metadata);
        return PictureFile.Place(path, file.WrittenSpan, options);
    }

    /// <summary>Writes the sheet as <see cref="Write"/> does, on the thread pool.</summary>
    /// <param name="path">Path of the file, which ends with .png.</param>
    /// <param name="options">The options, of which the quality is not used; null means the defaults.</param>
    /// <param name="cancellationToken">Stops before the sheet is encoded. Then the file is written whole.</param>
    /// <returns>The written file.</returns>
    /// <exception cref="PictureFileException">The sheet cannot be written.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled; nothing was written.</exception>
    public Task<WrittenPicture> WriteAsync(
        string path, PictureFileOptions? options = null, CancellationToken cancellationToken = default) =>
        Task.Run(() => Write(path, options), cancellationToken);

    private ArrayPoolBufferWriter<byte> ToPooled(string name, MetadataLevel metadata)
    {
        bool isNamed = metadata != MetadataLevel.None;
        var texts = new MetadataTexts(isNamed ? $"MuseAtelier {PictureProvenance.CurrentEngine}" : null, null, null);
        ArrayPoolBufferWriter<byte> plain =
            PictureEncoder.Encode(name, Pixels, Width, Height, new RecordedEncoding(PictureFormat.Png), texts);
        if (!isNamed) return plain;
        using (plain)
        {
            var file = new ArrayPoolBufferWriter<byte>(plain.WrittenCount + _text.Length);
            PngFile.Embed(plain.WrittenSpan, [PngChunk.Text(Description, _text)], file);
            return file;
        }
    }
}
