using System.Text.Json.Nodes;
using MuseAtelier.Pictures;
using MuseAtelier.Server.Requests;
using MuseAtelier.Server.Uploads;

namespace MuseAtelier.Server.PictureRoutes;

/// <summary>Reads the record of a picture file, or the text of another program in it.</summary>
internal static class RecordReader
{
    private const string OwnName = "MuseAtelier";

    /// <summary>Reads a file.</summary>
    /// <param name="file">The bytes of the file; borrowed.</param>
    /// <param name="uploads">Knows the sources of recorded requests.</param>
    /// <exception cref="PictureFileException">It is no picture, or says nothing that can be painted.</exception>
    public static RecordJson Read(ReadOnlyMemory<byte> file, UploadStore uploads)
    {
        PictureFileContent content = PictureFile.Read(file);
        if (content.RecordJson is null) return OfText(content, []);
        try
        {
            return OfRecord(content, content.ReadRecord(), uploads);
        }
        catch (PictureFileException exception) when (exception is PictureRecordVersionException or PictureRecordDamagedException)
        {
            // The file may also have AUTOMATIC1111's text. If it does not, the record's own fault is the one to report.
            if (PictureTexts.Find(content) is null) throw;
            return OfText(content, [$"The file's own record cannot be read, so its text is taken: {exception.Found}."]);
        }
    }

    private static RecordJson OfRecord(PictureFileContent content, PictureRecord record, UploadStore uploads) => Of(content) with
    {
        Program = OwnName,
        Request = RequestJson.Write(record.Request, uploads.Of(record.Request)),
        Model = record.Model.Name,
        Text = content.Parameters ?? ParametersText.Write(record),
    };

    private static RecordJson OfText(PictureFileContent content, IReadOnlyList<string> notices)
    {
        ParsedParameters parsed = PictureTexts.Parse(content);
        List<string> all = [.. notices, .. content.Notices, .. parsed.Notices];
        if (!parsed.HasSeed) all.Add("The text states no seed; a new one is drawn for each picture.");
        JsonObject request = RequestJson.Write(parsed.Request);
        if (!parsed.HasSeed) request.Remove("seed");
        return Of(content) with
        {
            Program = parsed.Program,
            Request = request,
            Model = parsed.ModelName,
            Text = content.Parameters ?? PictureTexts.Find(content)?.Text,
            NotTaken = parsed.NotTaken,
            Notices = all,
        };
    }

    private static RecordJson Of(PictureFileContent content) => new()
    {
        Format = content.Format.ToString().ToLowerInvariant(),
        Width = content.Width,
        Height = content.Height,
        NotTaken = [],
        Notices = content.Notices,
    };
}
