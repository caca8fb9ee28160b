using System.Collections;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace MuseAtelier;

/// <summary>
/// Timesteps of a schedule: 1 to 1000 whole numbers from 0 to 999, falling. Two lists are equal if their numbers are. In JSON it is an
/// array.
/// </summary>
[JsonConverter(typeof(TimestepListJsonConverter))]
public sealed class TimestepList : IReadOnlyList<int>, IEquatable<TimestepList>
{
    private readonly int[] _timesteps;

    /// <summary>Copies timesteps.</summary>
    /// <param name="timesteps">1 to 1000 numbers from 0 to 999, each less than the one before it.</param>
    /// <exception cref="ArgumentException">The numbers are not such.</exception>
    public TimestepList(params ReadOnlySpan<int> timesteps)
    {
        _timesteps = timesteps.ToArray();
        if (_timesteps.Length is 0 or > RequestRules.MostSteps) throw Refusal();
        for (int i = 0; i < _timesteps.Length; i++)
        {
            bool falls = i == 0 || _timesteps[i] < _timesteps[i - 1];
            if (!falls || _timesteps[i] is < 0 or >= RequestRules.MostSteps) throw Refusal();
        }

        static ArgumentException Refusal() => new("A list of timesteps has 1 to 1000 whole numbers from 0 to 999, falling.");
    }

    /// <inheritdoc/>
    public int Count => _timesteps.Length;

    /// <inheritdoc/>
    public int this[int index] => _timesteps[index];

    /// <inheritdoc/>
    public bool Equals(TimestepList? other) => other is not null && _timesteps.AsSpan().SequenceEqual(other._timesteps);

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as TimestepList);

    /// <inheritdoc/>
    public override int GetHashCode()
    {
        var hash = new HashCode();
        foreach (int timestep in _timesteps) hash.Add(timestep);
        return hash.ToHashCode();
    }

    /// <inheritdoc/>
    public IEnumerator<int> GetEnumerator() => ((IEnumerable<int>)_timesteps).GetEnumerator();

    /// <summary>The timesteps with commas between them.</summary>
    public override string ToString() => string.Join(',', _timesteps);

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
}

/// <summary>Reads and writes a <see cref="TimestepList"/> as a JSON array.</summary>
public sealed class TimestepListJsonConverter : JsonConverter<TimestepList>
{
    /// <inheritdoc/>
    public override TimestepList Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
    {
        if (reader.TokenType != JsonTokenType.StartArray) throw Refusal();
        List<int> timesteps = [];
        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
        {
            bool isNumber = reader.TokenType == JsonTokenType.Number && timesteps.Count < RequestRules.MostSteps;
            if (!isNumber || !reader.TryGetInt32(out int timestep)) throw Refusal();
            timesteps.Add(timestep);
        }

        try
        {
            return new TimestepList([.. timesteps]);
        }
        catch (ArgumentException exception)
        {
            throw new JsonException(exception.Message, exception);
        }

        static JsonException Refusal() => new("A list of timesteps is an array of 1 to 1000 whole numbers.");
    }

    /// <inheritdoc/>
    public override void Write(Utf8JsonWriter writer, TimestepList value, JsonSerializerOptions options)
    {
        ArgumentNullException.ThrowIfNull(writer);
        ArgumentNullException.ThrowIfNull(value);
        writer.WriteStartArray();
        foreach (int timestep in value) writer.WriteNumberValue(timestep);
        writer.WriteEndArray();
    }
}
