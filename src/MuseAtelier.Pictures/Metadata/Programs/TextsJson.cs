using System.Text.Json.Serialization;

namespace MuseAtelier.Pictures.Metadata;

/// <summary>The JSON of plain texts, without reflection.</summary>
[JsonSerializable(typeof(string))]
[JsonSerializable(typeof(Dictionary<string, string>))]
internal sealed partial class TextsJson : JsonSerializerContext;
