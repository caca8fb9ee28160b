using System.Text.Encodings.Web;
using System.Text.Json;

namespace MuseAtelier.Cli;

/// <summary>How muse writes JSON: one line, letters of every script as they are.</summary>
internal static class Json
{
    public static JsonSerializerOptions Readable { get; } = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };
}
