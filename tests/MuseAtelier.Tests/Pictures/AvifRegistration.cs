using System.Runtime.CompilerServices;
using MuseAtelier.Pictures.Avif;

namespace MuseAtelier.Tests.Pictures;

/// <summary>Makes AVIF known to the tests, as a program does that refers to the package.</summary>
internal static class AvifRegistration
{
    [ModuleInitializer]
    public static void Register() => AvifCodec.Register();
}
