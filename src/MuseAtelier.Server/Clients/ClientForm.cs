using System.Buffers;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.Net.Http.Headers;

namespace MuseAtelier.Server.Clients;

/// <summary>A form of several parts (multipart/form-data, RFC 7578): its texts as a JSON object, and its files.</summary>
internal sealed class ClientForm : IDisposable
{
    private const int MostParts = 64, MostHeaderBytes = 4096, MostHeaders = 8, MostTextBytes = 256 * 1024, LongestBoundary = 128;

    private static readonly UTF8Encoding Strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    private readonly JsonDocument _texts;

    private ClientForm(JsonDocument texts, IReadOnlyList<FormFile> files) => (_texts, Files) = (texts, files);

    /// <summary>The texts by their names.</summary>
    public JsonElement Texts => _texts.RootElement;

    /// <summary>The files in their order.</summary>
    public IReadOnlyList<FormFile> Files { get; }

    /// <summary>Reads the form of a request. The caller disposes it.</summary>
    /// <param name="context">The request.</param>
    /// <param name="mostFileBytes">The most bytes of a file.</param>
    /// <param name="mostBytes">The most bytes of the body.</param>
    /// <exception cref="ServerRequestException">The body is no form, or too large.</exception>
    public static async Task<ClientForm> ReadAsync(HttpContext context, int mostFileBytes, long mostBytes)
    {
        HttpRequest request = context.Request;
        if (context.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } limit) limit.MaxRequestBodySize = mostBytes;
        if (request.ContentLength > mostBytes) throw TooLarge(mostBytes);
        try
        {
            var reader = new MultipartReader(BoundaryOf(request), request.Body)
            {
                HeadersLengthLimit = MostHeaderBytes,
                HeadersCountLimit = MostHeaders,
                BodyLengthLimit = mostFileBytes,
            };
            return await ReadAsync(reader, mostFileBytes, context.RequestAborted);
        }
        catch (Exception exception)
            when (exception is InvalidDataException or DecoderFallbackException or IOException and not BadHttpRequestException)
        {
            throw Problems.Make(400, "bad-form", "The form cannot be read to its end; check its parts, and send it again.", exception);
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _texts.Dispose();

    private static async Task<ClientForm> ReadAsync(MultipartReader reader, int mostFileBytes, CancellationToken cancellationToken)
    {
        Dictionary<string, string> texts = new(StringComparer.Ordinal);
        List<FormFile> files = [];
        for (int part = 0; await reader.ReadNextSectionAsync(cancellationToken) is { } section; part++)
        {
            if (part == MostParts) throw Problems.Make(400, "bad-form", $"The form has more than {MostParts} parts. Send fewer.");
            if (!ContentDispositionHeaderValue.TryParse(section.ContentDisposition, out ContentDispositionHeaderValue? header)) continue;
            string name = HeaderUtilities.RemoveQuotes(header.Name).ToString();
            if (header.IsFileDisposition())
            {
                files.Add(new FormFile(name, await ReadBytesAsync(section.Body, mostFileBytes, cancellationToken)));
                continue;
            }

            byte[] text = await ReadBytesAsync(section.Body, MostTextBytes, cancellationToken);
            if (!texts.TryAdd(name, Strict.GetString(text))) throw Twice(name);
        }

        return new ClientForm(ToJson(texts), files);
    }

    private static string BoundaryOf(HttpRequest request)
    {
        bool isForm = MediaTypeHeaderValue.TryParse(request.ContentType, out MediaTypeHeaderValue? type)
            && type.MediaType.Equals("multipart/form-data", StringComparison.OrdinalIgnoreCase);
        string boundary = isForm ? HeaderUtilities.RemoveQuotes(type!.Boundary).ToString() : "";
        if (boundary.Length is > 0 and <= LongestBoundary) return boundary;
        throw Problems.Make(
            415,
            "bad-content-type",
            "The body is declared as no form; expected multipart/form-data with a boundary. Send the picture as a file.");
    }

    private static async Task<byte[]> ReadBytesAsync(Stream part, int most, CancellationToken cancellationToken)
    {
        var bytes = new ArrayBufferWriter<byte>();
        while (true)
        {
            int read = await part.ReadAsync(bytes.GetMemory(16 * 1024), cancellationToken);
            if (read == 0) return bytes.WrittenSpan.ToArray();
            bytes.Advance(read);
            if (bytes.WrittenCount > most) throw TooLarge(most);
        }
    }

    private static JsonDocument ToJson(Dictionary<string, string> texts)
    {
        var json = new ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(json))
        {
            writer.WriteStartObject();
            foreach ((string name, string text) in texts) writer.WriteString(name, text);
            writer.WriteEndObject();
        }

        return JsonDocument.Parse(json.WrittenMemory);
    }

    private static ServerRequestException TooLarge(long most) => Problems.Make(
        413, "body-too-large", $"The form, or a part of it, has more than {most} bytes. Send a smaller one.");

    private static ServerRequestException Twice(string name)
    {
        string shown = name.Length <= 40 ? name : name[..40];
        return Problems.Make(400, "bad-form", $"The form has the text '{shown}' twice. Send it once.");
    }
}

/// <summary>A file of a form.</summary>
/// <param name="Name">The name of its part.</param>
/// <param name="Content">The bytes.</param>
internal sealed record FormFile(string Name, ReadOnlyMemory<byte> Content);
