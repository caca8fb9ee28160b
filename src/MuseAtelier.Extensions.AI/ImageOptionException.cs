namespace MuseAtelier.Extensions.AI;

/// <summary>An option of an image generation call, or one of its additional properties, that cannot be used.</summary>
public sealed class ImageOptionException : MuseAtelierException
{
    internal ImageOptionException(string name, string value, string expected, string remedy)
        : base($"{name} is {value}", expected, remedy) => Name = name;

    /// <summary>The member of the options, such as <c>MediaType</c>, or the key of the property, such as <c>seed</c>.</summary>
    public string Name { get; }
}
