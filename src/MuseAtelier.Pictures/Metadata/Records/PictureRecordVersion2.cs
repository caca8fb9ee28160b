using System.Text.Json;
using System.Text.Json.Nodes;

namespace MuseAtelier.Pictures.Metadata;

/// <summary>
/// Version 2 of the record, which MuseAtelier 0.1.0 wrote. It has other names for some members and no sampler, because there was only
/// one. Its enumerations are written with capitals, which the reader of the current version accepts too.
/// </summary>
internal static class PictureRecordVersion2
{
    /// <summary>The number of the version.</summary>
    public const int Number = 2;

    // Members of requests that later versions of MuseAtelier write where they have another value than the usual one.
    private static readonly string[] Later =
    [
        "promptSyntax", "emphasis", "commaBacktrack", "clipSkip", "variationSeed", "variationStrength", "eta", "dialect", "prediction",
        "guidanceRescale", "guidanceFrom", "guidanceTo", "source", "hires",
    ];

    private const string SessionRotation = "Sessions,";

    /// <summary>Changes a record of version 2 into one of the current version. Leaves what it does not understand to the reader.</summary>
    /// <param name="record">The record; changed in place.</param>
    /// <exception cref="JsonException">It has a member of the current version.</exception>
    public static void Upgrade(JsonObject record)
    {
        record["version"] = PictureRecord.CurrentVersion;
        if (record["request"] is JsonObject request)
        {
            foreach (string name in Later) if (request.ContainsKey(name)) throw Unknown(name);
            bool hasTimesteps = request["schedule"] is JsonObject schedule && schedule.ContainsKey("timesteps");
            if (hasTimesteps) throw Unknown("timesteps");
            Rename(request, "conditioning", "microConditioning");
            Add(request, "sampler", RecordedNames.EulerAncestral);
        }

        if (record["engine"] is not JsonObject engine) return;
        Rename(engine, "tile", "vaeTile");
        Rename(engine, "pass", "batchSlot");
        // The first records of this version name no batch, because every picture was painted alone.
        if (!engine.ContainsKey("batchSlot")) engine["batchSlot"] = new JsonObject { ["pictures"] = 1, ["index"] = 0 };
        if (engine["batchSlot"] is JsonObject slot) Rename(slot, "pictures", "batchSize");
        if (engine["plan"] is JsonValue value
            && value.TryGetValue(out string? plan)
            && plan.StartsWith(SessionRotation, StringComparison.Ordinal))
        {
            engine["plan"] = $"{nameof(OffloadMode.Rotate)},{plan[SessionRotation.Length..]}";
        }
    }

    private static void Rename(JsonObject parent, string former, string name)
    {
        if (parent.ContainsKey(name)) throw Unknown(name);
        if (!parent.TryGetPropertyValue(former, out JsonNode? value)) return;
        parent.Remove(former);
        parent[name] = value;
    }

    private static void Add(JsonObject parent, string name, string value)
    {
        if (parent.ContainsKey(name)) throw Unknown(name);
        parent[name] = value;
    }

    private static JsonException Unknown(string name) => new($"version {Number} has no member {name}");
}
