namespace MuseAtelier.Server.Adapters;

/// <summary>The members of requests that name LoRAs.</summary>
internal static class LoraFieldNames
{
    /// <summary>The list.</summary>
    public const string List = "loras";
}
