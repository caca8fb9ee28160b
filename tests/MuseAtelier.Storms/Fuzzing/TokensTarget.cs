using System.Text;

namespace MuseAtelier.Storms.Fuzzing;

/// <summary>Prompts of arbitrary characters.</summary>
internal sealed class TokensTarget : FuzzTarget
{
    private const string Prompt = "a starry night, (Van Gogh:1.2), 星空, naïve café, 🌃 BREAK don't 1234";

    private string _input = "";

    public override byte[] Prepare(Random random, int index)
    {
        _input = index == 0 ? Prompt : TextFuzz.Damage(random, Prompt);
        return Encoding.Unicode.GetBytes(_input);
    }

    public override void Read()
    {
        PromptTokens tokens = PromptTokenizer.Encode(_input);
        bool isSound =
            tokens.ClipL.Length == 77
            && tokens.ClipG.Length == 77
            && tokens.Tokens.Count <= 75
            && tokens.CutCount >= 0
            && tokens.Tokens.All(token => token.Id is >= 0 and <= 49407)
            && _input.AsSpan().TrimEnd().EndsWith(tokens.CutText, StringComparison.Ordinal);
        if (!isSound)
            throw new InvalidDataException("the tokens do not hold together");
    }
}
